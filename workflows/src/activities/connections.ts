import { ConnectorFailure, type ConnectionContext, type Connector, type TokenAnswer } from '@plumbline/nodes';
import type { Sealed, Transaction } from '@plumbline/db';
import type { Dependencies, OAuthClient } from './dependencies.ts';
import { requestToken } from './token-request.ts';

/** What `integrations.config` holds, sealed. */
export interface ConnectionSecrets {
  readonly accessToken: string;
  readonly refreshToken?: string;
}

export interface OpenConnection {
  readonly connector: Connector;
  readonly context: ConnectionContext;
  /** Rises with every refresh; names the token that was refused. */
  readonly generation: number;
}

/**
 * Opens connections for use: the one place where tokens are decrypted and refreshed. A refresh happens once however many steps ask for it:
 * the row is locked, read again, and the rotated token committed before anyone uses it.
 */
export class Connections {
  readonly #deps: Dependencies;

  constructor(deps: Dependencies) {
    this.#deps = deps;
  }

  /**
   * @throws ConnectorFailure `not_found` when it is gone, `reauthorize` when it must be reconnected.
   */
  async open(companyId: string, id: string, options: { readonly refused?: number } = {}): Promise<OpenConnection> {
    const opened = await this.#deps.store.tenant(companyId, (tx) => this.#read(tx, companyId, id, false));
    const due = opened.expiresAt !== null && opened.expiresAt.getTime() - this.#deps.now().getTime() < 60_000;
    const refused = options.refused !== undefined && options.refused === opened.open.generation;
    return due || refused ? await this.#refresh(companyId, id, opened.open.generation) : opened.open;
  }

  /** Base and token URLs: the vendor's own, or where its sandbox is mounted. */
  urls(connector: Connector, environment: 'sandbox' | 'live') {
    if (environment === 'live')
      return {
        baseUrl: connector.baseUrl.live,
        authorizeUrl: connector.auth.authorizeUrl,
        tokenUrl: connector.auth.tokenUrl,
        revokeUrl: connector.auth.revokeUrl,
      };
    if (!this.#deps.sandboxOrigin)
      throw new ConnectorFailure({
        kind: 'unavailable',
        code: 'sandbox_off',
        message: `${connector.title} is connected to a sandbox, and sandboxes are switched off here.`,
      });
    return connector.sandboxUrls(`${this.#deps.sandboxOrigin}/${connector.id}`);
  }

  /** Our application at the vendor, or at its sandbox. */
  client(connector: Connector, environment: 'sandbox' | 'live'): OAuthClient | undefined {
    return environment === 'sandbox' ? this.#deps.sandboxClient : this.#deps.oauthClients[connector.id];
  }

  /** Marks a connection after the vendor refused it for good, with the reason people see. */
  async markBroken(companyId: string, id: string, reason: string): Promise<void> {
    await this.#deps.store.tenant(companyId, (tx) =>
      tx
        .updateTable('integrations')
        .set({ status: 'needs_reconnect', error_message: reason, updated_at: this.#deps.now() })
        .where('company_id', '=', companyId)
        .where('id', '=', id)
        .execute(),
    );
  }

  async #read(tx: Transaction, companyId: string, id: string, lock: boolean) {
    let query = tx
      .selectFrom('integrations')
      .select([
        'id',
        'type',
        'name',
        'environment',
        'config',
        'account',
        'status',
        'token_expires_at',
        'refresh_generation',
      ])
      .where('company_id', '=', companyId)
      .where('id', '=', id);
    if (lock) query = query.forUpdate();
    const row = await query.executeTakeFirst();
    const connector = row && this.#deps.catalog.connectors.get(row.type);
    if (!row || !connector || row.status === 'disconnected')
      throw new ConnectorFailure({
        kind: 'not_found',
        code: 'connection_missing',
        message: 'The connection this step works with has been removed.',
      });
    if (row.status === 'needs_reconnect')
      throw new ConnectorFailure({
        kind: 'reauthorize',
        code: 'needs_reconnect',
        message: `${row.name} has to be reconnected: ${connector.title} no longer accepts it.`,
      });
    const secrets = (await this.#deps.vault.open(
      { companyId, table: 'integrations', rowId: id, column: 'config' },
      row.config as Sealed,
    )) as ConnectionSecrets;
    const open: OpenConnection = {
      connector,
      generation: row.refresh_generation,
      context: {
        id,
        baseUrl: this.urls(connector, row.environment).baseUrl,
        accessToken: secrets.accessToken,
        account: row.account,
      },
    };
    return { open, secrets, row, expiresAt: row.token_expires_at };
  }

  async #refresh(companyId: string, id: string, generation: number): Promise<OpenConnection> {
    const { store, vault, now } = this.#deps;
    const outcome = await store.tenant(companyId, async (tx) => {
      const current = await this.#read(tx, companyId, id, true);
      if (current.open.generation !== generation) return { open: current.open };
      const { connector } = current.open;
      const refused = (message: string) => ({ refused: message, connector });
      const client = this.client(connector, current.row.environment);
      if (!current.secrets.refreshToken || !client) return refused('its access has ended and cannot be renewed');
      this.#deps.crashPoint?.('before-token-refresh', id);
      let answer: TokenAnswer;
      try {
        answer = await requestToken({
          connector,
          client,
          tokenUrl: this.urls(connector, current.row.environment).tokenUrl,
          parameters: { grant_type: 'refresh_token', refresh_token: current.secrets.refreshToken },
          fetch: this.#deps.fetch,
        });
      } catch (error) {
        if (error instanceof ConnectorFailure && error.kind === 'reauthorize')
          return refused('it refused to renew the access');
        throw error;
      }
      this.#deps.crashPoint?.('mid-token-refresh', id);
      const secrets: ConnectionSecrets = {
        accessToken: answer.accessToken,
        refreshToken: answer.refreshToken ?? current.secrets.refreshToken,
      };
      const sealed = await vault.seal({ companyId, table: 'integrations', rowId: id, column: 'config' }, secrets);
      await tx
        .updateTable('integrations')
        .set({
          config: JSON.stringify(sealed),
          refresh_generation: generation + 1,
          token_expires_at:
            answer.expiresIn === undefined ? null : new Date(now().getTime() + answer.expiresIn * 1_000),
          updated_at: now(),
        })
        .where('company_id', '=', companyId)
        .where('id', '=', id)
        .execute();
      return {
        open: {
          ...current.open,
          generation: generation + 1,
          context: { ...current.open.context, accessToken: answer.accessToken },
        },
      };
    });
    this.#deps.crashPoint?.('after-token-refresh', id);
    if ('open' in outcome) return outcome.open;
    const reason = `${outcome.connector.title}: ${outcome.refused}.`;
    await this.markBroken(companyId, id, reason);
    throw new ConnectorFailure({ kind: 'reauthorize', code: 'needs_reconnect', message: reason });
  }
}
