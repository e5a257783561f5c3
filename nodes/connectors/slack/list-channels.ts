import { z } from 'zod';
import { defineAction } from '../../sdk/index.ts';
import { channelSchema, listAllChannels } from './channels.ts';

/** Lists the open channels of the workspace. */
export const listChannels = defineAction({
  id: 'slack.list-channels',
  title: 'List channels',
  description: 'The open channels of the workspace.',
  category: 'Communication',
  icon: 'hash',
  effect: 'read',
  source: 'https://docs.slack.dev/reference/methods/conversations.list',
  input: z.object({}),
  output: z.object({ channels: z.array(channelSchema) }),
  example: {},
  run: async ({ http }) => ({ output: { channels: await listAllChannels(http) } }),
});
