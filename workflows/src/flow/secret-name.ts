/** Names of fields whose text is nobody's business, in whatever spelling: `apiKey`, `api_key`, `X-Api-Key`. */
const secret =
  /(token|secret|password|passwd|passphrase|authorization|(api|private|secret|access|signing|client|encryption|webhook|shared|master|auth)key|credential|cookie|signature|passcode|jwt|bearer|connectionstring|ssn|socialsecurity|routingnumber|bankaccount|accountnumber|iban|cvv|cvc)s?$|^(auth|taxid|pin|pwd)$/;
/** Tokens that tell a place or a version and open nothing: QuickBooks' `SyncToken`, the `nextPageToken` of a list. */
const harmless = /(sync|page|next|continuation|change)token$/;

/** Whether a field of that name holds a secret. */
export function isSecretName(name: string): boolean {
  const plain = name.toLowerCase().replace(/[^a-z0-9]/g, '');
  return secret.test(plain) && !harmless.test(plain);
}

/**
 * The name of what a value holds when it says so itself, as a list of headers does: `{ name: "Authorization", value: "…" }`. Its `value` is then the
 * secret.
 */
export function namesSecretItself(fields: Readonly<Record<string, unknown>>): boolean {
  return Object.entries(fields).some(
    ([key, item]) => /^(name|key|header)$/i.test(key) && typeof item === 'string' && isSecretName(item),
  );
}
