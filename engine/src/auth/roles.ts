import { createAccessControl } from 'better-auth/plugins/access';
import type { Role } from '../contract/index.ts';

/** Rights, by what they are about. A route names the one it needs. */
const statements = {
  flow: ['read', 'edit', 'publish', 'run'],
  run: ['read', 'decide'],
  connection: ['read', 'use', 'manage'],
  record: ['read', 'approve'],
  approval: ['decide', 'oversee'],
  value_map: ['read', 'edit'],
  secret: ['reveal'],
  company: ['manage'],
  member: ['create', 'update', 'delete'],
  invitation: ['create', 'cancel'],
  organization: ['update', 'delete'],
} as const;

export const accessControl = createAccessControl(statements);

const viewer = {
  flow: ['read'],
  run: ['read'],
  connection: ['read'],
  record: ['read'],
  value_map: ['read'],
} as const;
const builder = {
  flow: ['read', 'edit', 'publish', 'run'],
  run: ['read', 'decide'],
  connection: ['read', 'use'],
  record: ['read', 'approve'],
  approval: ['decide'],
  value_map: ['read', 'edit'],
} as const;
const admin = {
  ...builder,
  approval: ['decide', 'oversee'],
  connection: ['read', 'use', 'manage'],
  secret: ['reveal'],
  company: ['manage'],
  member: ['create', 'update', 'delete'],
  invitation: ['create', 'cancel'],
} as const;

/** owner ⊃ admin ⊃ builder ⊃ viewer. */
export const roles = {
  owner: accessControl.newRole({ ...admin, organization: ['update', 'delete'] }),
  admin: accessControl.newRole(admin),
  builder: accessControl.newRole(builder),
  viewer: accessControl.newRole(viewer),
};

export type Right = {
  [Subject in keyof typeof statements]: `${Subject}:${(typeof statements)[Subject][number]}`;
}[keyof typeof statements];

/** Whether a role has a right, e.g. `flow:publish`. */
export function may(role: Role, right: Right): boolean {
  const [subject = '', action = ''] = right.split(':');
  return roles[role].authorize({ [subject]: [action] } as never).success;
}
