/** Something is in the way of starting; the message says what, `fix` says what to do. */
export class StartError extends Error {
  readonly code: string;
  readonly fix: string;
  constructor(code: string, message: string, fix: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.fix = fix;
  }
}
