import { randomUUID } from 'node:crypto';
import { signStandardWebhook } from '@plumbline/nodes';
import type {
  Choice,
  ConnectionSummary,
  FlowDetail,
  Page,
  RecordDetail,
  RecordRow,
  RunDetail,
  RunSummary,
  TemplateDetail,
  TemplateSummary,
  TriggerInfo,
} from '../contract/index.ts';
import { StudioClient } from './studio-client.ts';

/** What the demo ends with. */
export interface DemoResult {
  readonly run: string;
  readonly status: string;
  /** The bill's id in QuickBooks. */
  readonly bill: string | null;
  /** The message's id in Slack. */
  readonly message: string | null;
  /** From the approval to the run's end. */
  readonly ms: number;
}

const INVOICE_TEMPLATE = 'approved-invoice-to-quickbooks-bill';
const WEBHOOK_TEMPLATE = 'webhook-to-slack';

/**
 * Does what a newcomer does, without a browser: connects the sandboxes, installs the templates, approves an invoice, posts a webhook twice.
 * May be repeated: what is there is used again, and each time another invoice is approved.
 */
export async function playDemo(origin: string, say: (subject: string, text: string) => void): Promise<DemoResult> {
  const client = new StudioClient(origin);
  await client.call('POST', '/api/session/demo');
  say('Signed in', 'as the owner of Hartwell Homes');

  const flow = await install(client, INVOICE_TEMPLATE, say);
  const result = await approveInvoice(client, flow, say);
  await postTwice(client, await install(client, WEBHOOK_TEMPLATE, say), say);
  return result;
}

async function install(
  client: StudioClient,
  slug: string,
  say: (subject: string, text: string) => void,
): Promise<{ readonly id: string; readonly name: string }> {
  const installed = (await client.call<TemplateSummary[]>('GET', '/api/templates')).find(
    (template) => template.slug === slug,
  )?.installedAs[0];
  if (installed) {
    const flow = await client.call<FlowDetail>('GET', `/api/flows/${installed.flowId}`);
    if (flow.status !== 'on') await client.call('POST', `/api/flows/${flow.id}/switch`, { on: true });
    say('Flow', `"${flow.name}", installed before`);
    return flow;
  }
  const template = await client.call<TemplateDetail>('GET', `/api/templates/${slug}`);
  const connections: Record<string, string> = {};
  for (const { slot, connector, title } of template.connections) {
    const existing = (await client.call<ConnectionSummary[]>('GET', '/api/connections')).find(
      (candidate) => candidate.connector === connector && candidate.status === 'connected',
    );
    const connection = existing ?? (await client.connectSandbox(connector));
    connections[slot] = connection.id;
    say(existing ? 'Connection' : 'Connected', `${title}: ${connection.name}`);
  }
  const params: Record<string, unknown> = {};
  for (const { id, title, optionsFrom } of template.params) {
    if (!optionsFrom) continue;
    const choices = await client.call<Choice[]>(
      'GET',
      `/api/connections/${connections[optionsFrom.connection]}/options/${optionsFrom.name}`,
    );
    const choice = choices.find(({ label }) => /lumber|accounts-payable|bills/i.test(label)) ?? choices[0];
    params[id] = choice?.value;
    say('Setting', `${title}: ${choice?.label ?? 'none offered'}`);
  }
  const flow = await client.call<FlowDetail>('POST', `/api/templates/${slug}/install`, {
    connections,
    params,
    turnOn: true,
  });
  say('Installed', `"${flow.name}", version ${flow.publishedVersion}, on`);
  return flow;
}

async function approveInvoice(
  client: StudioClient,
  flow: { readonly id: string },
  say: (subject: string, text: string) => void,
): Promise<DemoResult> {
  const { items } = await client.call<Page<RecordRow>>('GET', '/api/records/vendor_invoice?status=submitted');
  const [invoice] = items;
  if (!invoice) throw new Error('No invoice waits for approval any more: start with another --data-dir.');
  const began = performance.now();
  await client.call('POST', `/api/records/vendor_invoice/${invoice.id}/status`, { to: 'approved' });
  const { number, vendorName, total } = invoice.data as { number: string; vendorName: string; total: string };
  say('Approved', `${number}, ${vendorName}, $${total}`);
  const run = await until('the run to end', async () => {
    const detail = await client.call<RecordDetail>('GET', `/api/records/vendor_invoice/${invoice.id}`);
    const found = detail.runs.find((candidate) => candidate.flowId === flow.id);
    return found && hasEnded(found) ? found : undefined;
  });
  const ms = Math.round(performance.now() - began);
  const detail = await client.call<RunDetail>('GET', `/api/runs/${run.id}`);
  for (const step of detail.steps)
    say(
      'Step',
      `${step.name}: ${step.status}, ${step.durationMs ?? 0} ms${step.error ? `. ${step.error.message} ${step.error.fix}` : ''}`,
    );
  const record = await client.call<RecordDetail>('GET', `/api/records/vendor_invoice/${invoice.id}`);
  const message = detail.steps.find((step) => detail.document.nodes[step.nodeId]?.type === 'slack.send-message')
    ?.output as { ts?: string } | null | undefined;
  return {
    run: run.id,
    status: run.status,
    bill: record.links.find((link) => link.remoteType === 'bill')?.remoteId ?? null,
    message: message?.ts ?? null,
    ms,
  };
}

/** Posts one signed delivery twice; it must start one run. */
async function postTwice(
  client: StudioClient,
  flow: { readonly id: string },
  say: (subject: string, text: string) => void,
): Promise<void> {
  const [trigger] = await client.call<TriggerInfo[]>('GET', `/api/flows/${flow.id}/triggers`);
  if (!trigger?.webhook) throw new Error('The flow has no webhook.');
  const { secret } = await client.call<{ secret: string }>(
    'POST',
    `/api/flows/${flow.id}/triggers/${trigger.nodeId}/secret`,
  );
  const id = `demo-${randomUUID()}`;
  const body = JSON.stringify({ text: `Permit 24-1187 for Lot 15, Fern Hollow is approved (delivery ${id}).` });
  const headers = {
    'Content-Type': 'application/json',
    ...signStandardWebhook({ secret, id, timestamp: Math.floor(Date.now() / 1_000), body: Buffer.from(body) }),
  };
  const answers = [];
  for (let time = 0; time < 2; time++)
    answers.push(
      (await (await fetch(trigger.webhook.url, { method: 'POST', headers, body })).json()) as { duplicate: boolean },
    );
  say(
    'Webhook',
    `posted twice: ${answers.map(({ duplicate }) => (duplicate ? 'known already' : 'accepted')).join(', then ')}`,
  );
  const runs = await until('the webhook’s run to end', async () => {
    const { items } = await client.call<Page<RunSummary>>('GET', `/api/runs?flowId=${flow.id}&q=${id}`);
    return items.length > 0 && items.every(hasEnded) ? items : undefined;
  });
  if (runs.length !== 1 || runs[0]?.status !== 'succeeded')
    throw new Error(`One delivery made ${runs.length} runs: ${runs.map(({ status }) => status).join(', ')}.`);
  say('Webhook', `one run: ${runs[0].status}`);
}

function hasEnded({ status }: { readonly status: string }): boolean {
  return ['succeeded', 'failed', 'cancelled', 'parked'].includes(status);
}

async function until<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
  const deadline = Date.now() + 60_000;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (Date.now() > deadline) throw new Error(`Waited a minute for ${what}, in vain.`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
