import { html, sandboxPage } from '../../sdk/index.ts';
import { TEAM, type WorkspaceState } from './sandbox-workspace.ts';

const SHOWN = 100;

/** The double's own page: a list of channels, and what was said in one. `base` is where it is mounted. */
export function workspacePage(page: {
  readonly base: string;
  readonly state: WorkspaceState;
  readonly channel?: string | undefined;
}): string {
  const { base, state } = page;
  const busiest = state.channels.find(({ id }) => (state.messages[id] ?? []).length > 0);
  const chosen = state.channels.find(({ name }) => name === page.channel) ?? busiest ?? state.channels[0];
  const messages = [...(state.messages[chosen?.id ?? ''] ?? [])].reverse().slice(0, SHOWN);
  return sandboxPage(
    `#${chosen?.name} · Slack sandbox`,
    html`<h1>${TEAM.name} <small class="note">Slack sandbox</small></h1>
      <nav>
        ${state.channels.map(({ id, name }) => html`<a href="${base}/ui/${name}" ${name === chosen?.name ? html` aria-current="page"` : ''}>#${name} <span class="note">${(state.messages[id] ?? []).length || ''}</span></a>`)}
      </nav>
      <h2>#${chosen?.name} <small class="note">${chosen?.topic}</small></h2>
      ${
        messages.length === 0
          ? html`<p class="note">No messages.</p>`
          : messages.map(
              ({ text, ts }) =>
                html`<pre class="message">${unescapeText(text)}</pre>
                  <p class="note">Plumbline, ${timeOf(ts)}</p>`,
            )
      }`,
  );
}

function timeOf(ts: string): string {
  return new Date(Number(ts) * 1_000).toISOString().replace('T', ' ').slice(0, 19);
}

/** As Slack shows it: its three escapes read back, once. The page escapes the result again. */
function unescapeText(text: string): string {
  const characters: Readonly<Record<string, string>> = { '&lt;': '<', '&gt;': '>', '&amp;': '&' };
  return text.replace(/&(?:lt|gt|amp);/g, (escape) => characters[escape] ?? escape);
}
