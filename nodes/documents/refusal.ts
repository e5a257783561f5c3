/** Why a document is not read. It crosses a process, so it is data; the step makes a failure of it. */
export class DocumentRefusal extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.name = 'DocumentRefusal';
    this.code = code;
  }
}
