import { goto } from '$app/navigation';
import { api } from '../api/client.ts';
import { links } from '../links.ts';
import { tellProblem } from '../tell.ts';

/** Makes an empty flow and opens it. */
export async function createFlow(): Promise<void> {
  try {
    const flow = await api.flows.create('New flow');
    await goto(links.flow(flow.id));
  } catch (error) {
    tellProblem(error);
  }
}
