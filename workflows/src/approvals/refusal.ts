/** Why something cannot be done about an approval, in a code that the API passes on. */
export type RefusalCode =
  | 'already_decided'
  | 'approval_over'
  | 'not_asked'
  | 'invalid_input'
  | 'unknown_field'
  | 'not_found'
  | 'link_used'
  | 'link_expired'
  | 'link_revoked';

/** A decision, or a link, that does not count. */
export class ApprovalRefusal extends Error {
  readonly code: RefusalCode;
  readonly fix: string;
  /** Where in the input. */
  readonly path: string | undefined;

  constructor(code: RefusalCode, message: string, fix: string, path?: string) {
    super(message);
    this.name = 'ApprovalRefusal';
    this.code = code;
    this.fix = fix;
    this.path = path;
  }
}
