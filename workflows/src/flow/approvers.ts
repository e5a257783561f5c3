/** The roles a company's people have, least first; one who only looks on decides nothing. */
const roles = ['viewer', 'builder', 'admin', 'owner'] as const;

/** Somebody named as an approver: by address, or all that have a role. */
export type Approver =
  { readonly kind: 'email'; readonly email: string } | { readonly kind: 'role'; readonly role: (typeof roles)[number] };

/** How many must approve: as it is drawn. */
export type Need = 'any' | 'all' | 'some';

/**
 * Reads who is asked as people write it down: `ana@hartwell.example, owner`. Addresses are compared in lower case; a role may stand in the plural.
 * @returns also the words that are neither.
 */
export function readApprovers(text: string): {
  readonly approvers: readonly Approver[];
  readonly unknown: readonly string[];
} {
  const approvers = new Map<string, Approver>();
  const unknown: string[] = [];
  for (const word of text.split(/[,;\n]/).map((part) => part.trim().toLowerCase())) {
    if (word === '') continue;
    const role = roles.find((known) => word === known || word === `${known}s`);
    if (role && role !== 'viewer') approvers.set(role, { kind: 'role', role });
    else if (/^[^\s@<>"]{1,64}@[^\s@<>"]{1,190}\.[^\s@<>".]{2,}$/.test(word))
      approvers.set(word, { kind: 'email', email: word });
    else unknown.push(word.slice(0, 100));
  }
  return { approvers: [...approvers.values()], unknown };
}
