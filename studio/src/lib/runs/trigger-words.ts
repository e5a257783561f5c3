/** How runs start, in the office's words. */
const byKind: Readonly<Record<string, string>> = {
  webhook: 'Webhook',
  record: 'Record changed',
  schedule: 'Schedule',
  manual: 'Started by hand',
  connector: 'App event',
  poll: 'Something new',
  call: 'API call',
  flow_error: 'Trouble in a flow',
  connection_state: 'Connection changed',
};

/** `vendor_invoice.approved` is `Vendor invoice approved`; `core.webhook` is `Webhook`. */
export function triggerWords(trigger: string): string {
  const known = byKind[trigger] ?? byKind[trigger.replace(/^core\./, '')];
  if (known) return known;
  const text = trigger
    .replace(/^core\./, '')
    .replace(/[._]+/g, ' ')
    .trim();
  return text.charAt(0).toUpperCase() + text.slice(1);
}
