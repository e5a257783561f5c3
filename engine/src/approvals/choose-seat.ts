import type { Decider } from '@plumbline/workflows/approvals/decide';
import { ApprovalRefusal } from '@plumbline/workflows/approvals/refusal';
import { may } from '../auth/roles.ts';
import type { Actor } from '../auth/session.ts';

/** Somebody of the company who decides: from their own seat, or, as an admin, from that of whom they name. */
export function memberDecider(actor: Actor, seatId: string | undefined): Decider {
  return {
    name: actor.name,
    email: actor.email,
    way: 'studio',
    chooseSeat: (seats) => {
      const own = seats.filter(({ user_id }) => user_id === actor.userId);
      const seat =
        own.find(({ status }) => status === 'open') ?? own.find(({ status }) => status === 'decided') ?? own[0];
      if (seat && (seatId === undefined || seatId === seat.id)) return { seat, instead: false };
      if (!may(actor.role, 'approval:oversee'))
        throw new ApprovalRefusal(
          'not_asked',
          'You are not asked about this.',
          'Ask one of those who are, or an admin.',
        );
      const open = seats.filter(({ status }) => status === 'open');
      const other =
        seatId === undefined ? (open.length === 1 ? open[0] : undefined) : seats.find(({ id }) => id === seatId);
      if (!other)
        throw new ApprovalRefusal(
          'invalid_input',
          'You are not asked yourself, so say in whose place you decide.',
          `Choose one of: ${open.map(({ name }) => name).join(', ')}.`,
          'seatId',
        );
      return { seat: other, instead: true };
    },
  };
}
