import { z } from 'zod';
import { defineConnector } from '../../sdk/index.ts';
import { auth, http } from './api.ts';
import { listAllChannels } from './channels.ts';
import { listChannels } from './list-channels.ts';
import { createSlackSandbox } from './sandbox.ts';
import { sendMessage } from './send-message.ts';

/** Slack, Web API. */
export const connector = defineConnector({
  id: 'slack',
  title: 'Slack',
  category: 'Communication',
  description: 'Messages to the channels of a Slack workspace.',
  monogram: { text: 'Sl', color: '#611f69' },
  baseUrl: { live: 'https://slack.com/api' },
  auth,
  // Per channel; short bursts pass.
  // One message a second and channel, with short bursts: a minute's worth, however it falls.
  limits: [{ requests: 60, perSeconds: 60, source: 'https://docs.slack.dev/apis/web-api/rate-limits' }],
  nodes: [sendMessage, listChannels],
  options: {
    channels: async ({ http: client }) =>
      (await listAllChannels(client))
        .map(({ id, name }) => ({ value: id, label: `#${name}` }))
        .sort((a, b) => a.label.localeCompare(b.label, 'en')),
  },
  async test({ http: client }) {
    const answer = z.object({ team: z.string(), team_id: z.string() });
    const { team } = await client.send({ method: 'POST', path: '/auth.test', mutates: false, answer });
    return { accountName: team };
  },
  http,
  sandboxUrls: (origin) => ({
    baseUrl: `${origin}/api`,
    authorizeUrl: `${origin}/oauth/v2/authorize`,
    tokenUrl: `${origin}/api/oauth.v2.access`,
    revokeUrl: `${origin}/api/auth.revoke`,
  }),
  sandbox: createSlackSandbox,
});
