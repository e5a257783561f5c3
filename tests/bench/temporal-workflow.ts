import { proxyActivities, proxyLocalActivities } from '@temporalio/workflow';
import type { BenchEvent } from './contender.ts';

/** What someone who knows Temporal would write for this job by hand. */
interface BenchActivities {
  post(url: string, body: object): Promise<void>;
}

const plain = proxyActivities<BenchActivities>({ startToCloseTimeout: '30 seconds' });
const local = proxyLocalActivities<BenchActivities>({ startToCloseTimeout: '30 seconds' });

export async function withActivities(target: string, event: BenchEvent): Promise<void> {
  await threePosts(plain, target, event);
}

export async function withLocalActivities(target: string, event: BenchEvent): Promise<void> {
  await threePosts(local, target, event);
}

async function threePosts(activities: BenchActivities, target: string, event: BenchEvent): Promise<void> {
  const body = { id: event.id, vendor: event.vendor, total: event.lines.reduce((sum, { amount }) => sum + amount, 0) };
  for (const step of [1, 2, 3]) await activities.post(`${target}/${step}`, body);
}
