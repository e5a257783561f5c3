import { Client, Connection, type WorkflowClient } from '@temporalio/client';
import type { TestPlatform } from './platform.ts';

/** Asks the platform's Temporal, on a connection of its own. */
export async function askTemporal<T>(up: TestPlatform, ask: (workflow: WorkflowClient) => Promise<T>): Promise<T> {
  const connection = await Connection.connect({ address: up.platform.temporal.address });
  try {
    return await ask(new Client({ connection }).workflow);
  } finally {
    await connection.close();
  }
}
