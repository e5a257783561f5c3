/** The demo's owner. The password is public, so the account exists only where PLUMBLINE_DEMO is on, and never in production. */
export const DEMO_OWNER = {
  name: 'Dana Hartwell',
  email: 'dana@hartwell.example',
  password: 'plumb-line-demo',
  company: 'Hartwell Homes',
  slug: 'hartwell-homes',
} as const;
