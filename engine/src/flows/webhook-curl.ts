import { randomBytes } from 'node:crypto';
import { standardSecretBytes, type WebhookScheme } from '@plumbline/nodes';

/** Stands for the secret in a command that nobody has asked to see it in. */
const HIDDEN = '$PLUMBLINE_WEBHOOK_SECRET';

/** A command that signs a delivery and posts it, with nothing but a shell, openssl and curl. Without a secret it names a variable in its place. */
export function curlCommand(url: string, scheme: WebhookScheme, secret?: string): string {
  const quoted = secret === undefined ? `"${HIDDEN}"` : `'${secret.replaceAll("'", `'\\''`)}'`;
  const post = (...headers: readonly string[]): string =>
    [
      `curl -sS '${url}' -H 'Content-Type: application/json'`,
      ...headers.map((header) => `-H "${header}"`),
      `-d "$body"`,
    ].join(' ');
  const sign = (text: string, algorithm = 'sha256', base64 = false): string =>
    base64
      ? `sig=$(printf '%s' "${text}" | openssl dgst -${algorithm} -hmac ${quoted} -binary | openssl base64 -A)`
      : `sig=$(printf '%s' "${text}" | openssl dgst -${algorithm} -hmac ${quoted} | sed 's/^.* //')`;
  switch (scheme.kind) {
    case 'standard': {
      const key = secret === undefined ? '$PLUMBLINE_WEBHOOK_KEY_HEX' : standardSecretBytes(secret).toString('hex');
      return [
        body('Hello from the job site'),
        // The id is the delivery's name: run twice, the command delivers the same thing twice.
        `id="msg_${randomBytes(9).toString('hex')}"; now=$(date +%s)`,
        `sig=$(printf '%s.%s.%s' "$id" "$now" "$body" | openssl dgst -sha256 -mac HMAC -macopt "hexkey:${key}" -binary | openssl base64 -A)`,
        post('webhook-id: $id', 'webhook-timestamp: $now', 'webhook-signature: v1,$sig').replaceAll(`'${url}'`, url),
      ].join('\n');
    }
    case 'hmac': {
      const { header, algorithm, encoding, prefix, timestampHeader } = scheme;
      const github = header === 'X-Hub-Signature-256' ? [`X-GitHub-Delivery: ${randomBytes(9).toString('hex')}`] : [];
      return [
        body('Hello from the job site'),
        ...(timestampHeader ? ['now=$(date +%s)'] : []),
        sign(timestampHeader ? '$now.$body' : '$body', algorithm, encoding === 'base64'),
        post(`${header}: ${prefix}$sig`, ...(timestampHeader ? [`${timestampHeader}: $now`] : []), ...github),
      ].join('\n');
    }
    case 'stripe':
      return [
        body('Hello from Stripe'),
        'now=$(date +%s)',
        sign('$now.$body'),
        post('Stripe-Signature: t=$now,v1=$sig'),
      ].join('\n');
    case 'slack':
      return [
        body('Hello from Slack'),
        'now=$(date +%s)',
        sign('v0:$now:$body'),
        post('X-Slack-Request-Timestamp: $now', 'X-Slack-Signature: v0=$sig'),
      ].join('\n');
    case 'twilio':
      return [
        `text='Hello from the job site'`,
        sign(`${url}Body$text`, 'sha1', true),
        `curl -sS '${url}' -H "X-Twilio-Signature: $sig" --data-urlencode "Body=$text"`,
      ].join('\n');
    case 'header':
      return [body('Hello from the job site'), `secret=${quoted}`, post(`${scheme.header}: $secret`)].join('\n');
    case 'basic':
      return [
        body('Hello from the job site'),
        `secret=${quoted}`,
        post().replace('curl -sS', `curl -sS -u "${scheme.userName}:$secret"`),
      ].join('\n');
  }
}

function body(text: string): string {
  return `body='{"text":"${text}"}'`;
}
