import type { BrowserContext } from '@playwright/test';

export const ACCESS = '__Host-postern-access';
export const REFRESH = '__Host-postern-refresh';
export const DEVICE = '__Host-postern-device';

/** Returns the `Cookie` header that a browser would send. */
export async function cookieHeader(context: BrowserContext): Promise<string> {
  return (await context.cookies()).map(({ name, value }) => `${name}=${value}`).join('; ');
}

export async function cookie(context: BrowserContext, name: string): Promise<string> {
  return (await context.cookies()).find((one) => one.name === name)?.value ?? '';
}

/** Returns the claims of a JWT without verification. */
export function claims(token: string): Record<string, any> {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
}
