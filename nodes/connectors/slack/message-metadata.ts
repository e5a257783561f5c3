/** Marks messages that we sent. @see https://docs.slack.dev/messaging/message-metadata */
export const EVENT_TYPE = 'plumbline_message';

/** Slack has no idempotency key for bots; by this a message is recognised when its answer was lost. */
export function messageMetadata(key: string) {
  return { event_type: EVENT_TYPE, event_payload: { key } };
}

/**
 * Text in which nothing can mention a channel, link or call a person by accident.
 * @see https://docs.slack.dev/messaging/formatting-message-text#escaping
 */
export function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
