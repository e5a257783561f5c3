import type { CatalogInfo, Problem } from '@plumbline/engine/contract';
import { findNodeType } from '@plumbline/workflows/flow';
import { api } from './api/client.ts';
import { asProblem } from './api/problem.ts';
import { iconOf, type Icon } from './icons.ts';

type NodeTypeInfo = CatalogInfo['nodeTypes'][number];
type ConnectorInfo = CatalogInfo['connectors'][number];

/** Everything that can stand on a canvas, fetched once. */
class Catalog {
  info = $state.raw<CatalogInfo>();
  error = $state.raw<Problem>();
  #loading: Promise<CatalogInfo> | undefined;

  /** Fetches it the first time; a failed fetch may be repeated. @throws ApiProblem */
  load(): Promise<CatalogInfo> {
    this.#loading ??= api.catalog().then(
      (info) => {
        this.info = info;
        this.error = undefined;
        return info;
      },
      (error: unknown) => {
        this.#loading = undefined;
        this.error = asProblem(error);
        throw error;
      },
    );
    return this.#loading;
  }

  nodeType(type: string, version: number): NodeTypeInfo | undefined {
    return this.info && findNodeType(this.info, type, version);
  }

  /** The newest version of a node type. */
  newest(type: string): NodeTypeInfo | undefined {
    return this.info?.nodeTypes.filter((candidate) => candidate.id === type).sort((a, b) => b.version - a.version)[0];
  }

  connector(id: string | undefined): ConnectorInfo | undefined {
    return id === undefined ? undefined : this.info?.connectors.find((candidate) => candidate.id === id);
  }

  /** A node type's icon, for types without a connector; connectors show their monogram. */
  icon(type: string): Icon {
    return iconOf(this.newest(type)?.icon);
  }
}

export const catalog = new Catalog();

/** The catalog with the value maps and the flows that the company has now, so that the compiler misses those it has not. @throws ApiProblem */
export async function catalogOfCompany(): Promise<CatalogInfo> {
  const [info, valueMaps, flows] = await Promise.all([catalog.load(), api.valueMaps.list(), api.flows.interfaces()]);
  return { ...info, valueMaps: valueMaps.map(({ id, name, columns }) => ({ id, name, columns })), flows };
}
