import type { Port } from './port.ts';
import type { ValueMapColumn } from './value-map.ts';

/** JSON Schema (draft 2020-12) as far as the compiler and the studio read it. */
export interface JsonSchema {
  readonly type?: string | readonly string[];
  readonly title?: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | JsonSchema;
  readonly items?: JsonSchema;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly allOf?: readonly JsonSchema[];
  readonly format?: string;
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly default?: unknown;
  readonly examples?: readonly unknown[];
  /** Named choices of the node's connector. */
  readonly optionsFrom?: string;
  /** Choices that the company itself has. */
  readonly choicesFrom?: 'flows' | 'connections' | 'value_maps' | 'value_map_columns';
  readonly multiline?: boolean;
  readonly advanced?: boolean;
  /** Shown only while another field has one of these values. */
  readonly shownWhen?: { readonly field: string; readonly is: readonly string[] };
}

/** A node type as it crosses the wire: data only, the same for compiler and studio. */
export interface NodeTypeInfo {
  readonly id: string;
  readonly version: number;
  readonly kind: 'trigger' | 'action' | 'logic';
  readonly title: string;
  readonly description: string;
  readonly category: string;
  readonly icon: string;
  readonly connector?: string;
  readonly effect: 'none' | 'read' | 'upsert' | 'create';
  readonly input: JsonSchema;
  readonly output: JsonSchema;
  /** Output by the value of one literal input, e.g. a record event's entity. */
  readonly outputBy?: { readonly field: string; readonly schemas: Readonly<Record<string, JsonSchema>> };
  /** A literal list input declares fields, whose values are in the output under `into`. */
  readonly outputFields?: {
    readonly list: string;
    readonly into: string;
    readonly records: Readonly<Record<string, JsonSchema>>;
  };
  readonly ports: readonly Port[];
  /** Name of the literal list input that adds one port per `{ id, title }` item. */
  readonly portsFrom?: string;
  /** How many of `ports` come before those that are added. @default 0 */
  readonly listedAt?: number;
  /** It is a loop, around other steps, or ends a turn of one; or it is a scope around them. */
  readonly control?: 'each' | 'while' | 'next' | 'break' | 'scope';
  /** What undoing it does; absent where it cannot be undone. */
  readonly undo?: string;
  readonly trigger?:
    | 'webhook'
    | 'record'
    | 'schedule'
    | 'manual'
    | 'connector'
    | 'poll'
    | 'call'
    | 'flow'
    | 'flow_error'
    | 'connection_state';
}

export interface ConnectorInfo {
  readonly id: string;
  readonly title: string;
  readonly category: string;
  readonly description: string;
  readonly monogram: { readonly text: string; readonly color: string };
  /** Names of the choices its fields may draw from. */
  readonly options: readonly string[];
}

/** A value map of the company, as far as flows depend on it. */
export interface ValueMapInfo {
  readonly id: string;
  readonly name: string;
  readonly columns: readonly ValueMapColumn[];
}

/** A field that a flow asks its callers for. */
export interface CallField {
  readonly id: string;
  readonly title: string;
  readonly type: 'text' | 'number' | 'date' | 'yes_no' | 'any';
  readonly required: boolean;
}

/** What a version of a flow takes from whoever calls it, and hands back to them. */
export type FlowInterface =
  | { readonly kind: 'not_callable' }
  | {
      readonly kind: 'callable';
      /** Empty when it takes whatever it is given. */
      readonly fields: readonly CallField[];
      /** What is not `required` of it may be missing. */
      readonly result: JsonSchema;
    };

/** A flow of the company, as far as flows that call it depend on it. */
export interface FlowInfo {
  readonly id: string;
  readonly name: string;
  /** The version that is live; null before the first. */
  readonly publishedVersion: number | null;
  /** Every number from 1 to this one is a version. */
  readonly latestVersion: number;
  /** Each from the version `since` until the next one, oldest first: interfaces change less often than drawings. */
  readonly interfaces: readonly { readonly since: number; readonly interface: FlowInterface }[];
  /** What its drawing will be; only of a flow that has no version. */
  readonly draft?: FlowInterface;
}

/** Everything that can stand on a canvas, as data. */
export interface CatalogInfo {
  readonly connectors: readonly ConnectorInfo[];
  readonly nodeTypes: readonly NodeTypeInfo[];
  /** Those of the company; absent where nobody has asked which there are, and then none is missed. */
  readonly valueMaps?: readonly ValueMapInfo[];
  /** Those of the company, or at least those that are called; absent as above. */
  readonly flows?: readonly FlowInfo[];
  /** The flow that is compiled, where it has an id: what it takes itself is only just being drawn. */
  readonly flowId?: string;
}

/** Finds a node type by id and version. */
export function findNodeType(catalog: CatalogInfo, type: string, version: number): NodeTypeInfo | undefined {
  return catalog.nodeTypes.find((candidate) => candidate.id === type && candidate.version === version);
}
