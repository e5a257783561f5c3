/** Brings the schema up to date and sets the roles' passwords; ends. For production, where nothing else holds the owner's right. */
import { migrate } from '@plumbline/db';
import { readSettings } from '@plumbline/workflows/settings';
import { z } from 'zod';

const password = z.string().min(16, 'Give 16 characters or more: openssl rand -hex 24');
const settings = readSettings(
  z.object({
    DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/ }),
    PLUMBLINE_APP_PASSWORD: password,
    PLUMBLINE_DISPATCHER_PASSWORD: password,
    PLUMBLINE_AUTH_PASSWORD: password,
  }),
  process.env,
);
const { applied } = await migrate({
  ownerUrl: settings.DATABASE_URL,
  appPassword: settings.PLUMBLINE_APP_PASSWORD,
  dispatcherPassword: settings.PLUMBLINE_DISPATCHER_PASSWORD,
  authPassword: settings.PLUMBLINE_AUTH_PASSWORD,
  onStep: (name) => console.log(name),
});
console.log(applied.length > 0 ? `${applied.length} migrations applied` : 'up to date');
