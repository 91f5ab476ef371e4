import type { Route } from '@playwright/test';
import { Dashboard } from '../pages/dashboard';
import { LoginPage } from '../pages/login';
import { Client } from '../support/client';
import { newPassword } from '../support/server';
import { expect, test } from '../support/test';
import { at } from '../support/url';

test('name and password open the dashboard', async ({ page, server }) => {
  const ada = await server.person();
  const login = new LoginPage(page);
  await login.open();
  await expect(page).toHaveTitle('Sign in · Postern');
  await expect(login.name).toBeFocused();
  await expect(login.name).toHaveAttribute('autocomplete', 'username webauthn');
  await expect(login.password).toHaveAttribute('autocomplete', 'current-password');
  await expect(login.password).toHaveAttribute('type', 'password');
  await login.submit(ada);
  await page.waitForURL(at('/dashboard'));

  const dashboard = new Dashboard(page);
  await expect(dashboard.heading).toHaveText('Overview');
  await expect(dashboard.name).toHaveText(ada.name);
  await expect(page.getByText('tied to this browser by a key')).toBeVisible();
});

test('names are the same in capitals, and with the space that keyboards add', async ({ page, server }) => {
  const ada = await server.person();
  const login = new LoginPage(page);
  await login.open();
  await login.submit({ ...ada, name: ` ${ada.name.toUpperCase()} ` });
  await page.waitForURL(at('/dashboard'));
});

test('the body of a login has the envelope, the short_key and nothing else', async ({ page, server }) => {
  const ada = await server.person();
  const login = new LoginPage(page);
  await login.open();
  await login.fill(ada);
  const posted = page.waitForRequest('**/api/login');
  await login.button.click();
  const request = await posted;
  const body = request.postDataJSON() as Record<string, string>;
  expect(Object.keys(body).sort()).toEqual(['encrypted_username_password', 'short_key']);

  const [head, ...rest] = String(body.encrypted_username_password).split('.');
  expect(rest).toHaveLength(4);
  const header = JSON.parse(Buffer.from(String(head), 'base64url').toString());
  expect(header).toMatchObject({ alg: 'RSA-OAEP-256', enc: 'A256GCM', typ: 'login+jwe', sk: body.short_key, org: server.origin });
  expect(Object.keys(header.jwk).sort()).toEqual(['crv', 'kty', 'x', 'y']);
  // RSA-3072: 384 bytes.
  expect(Buffer.from(String(rest[0]), 'base64url')).toHaveLength(384);
  await page.waitForURL(at('/dashboard'));
});

test('two sign-ins of the same person have nothing in common', async ({ page, visit, server }) => {
  const ada = await server.person();
  const bodies: string[][] = [];
  for (const tab of [page, await visit()]) {
    const posted = tab.waitForRequest('**/api/login');
    await new LoginPage(tab).signIn(ada);
    bodies.push(String((await posted).postDataJSON().encrypted_username_password).split('.').slice(1));
  }
  const [first, second] = bodies;
  first?.forEach((part, index) => expect(part).not.toBe(second?.[index]));
});

test.describe('a wrong password', () => {
  test('is a sentence and a countdown, and then the right one works', async ({ page, server, watch }) => {
    watch.allowStatus(401);
    const ada = await server.person();
    const login = new LoginPage(page);
    await login.open();
    const told = await login.record();
    await login.submit({ ...ada, password: newPassword() });

    await expect(login.alert).toContainText('Wrong name or password.');
    await expect(login.alert).toContainText(/You can try again in [12] seconds?\./);
    await expect(login.name).toHaveValue(ada.name);
    const selected = await login.password.evaluate((field: HTMLInputElement) => [field.selectionStart, field.selectionEnd, field.value.length]);
    expect(selected[0]).toBe(0);
    expect(selected[1]).toBe(selected[2]);

    await expect(login.button).toBeEnabled();
    await expect(login.countdown).toHaveText('You can try again now.');
    const steps = await told();
    expect(steps).toContain('You can try again in 2 seconds. | disabled');
    expect(steps).toContain('You can try again in 1 second. | disabled');
    expect(steps.filter((step) => step.startsWith('You can try again in') && !step.endsWith('disabled'))).toEqual([]);
    await login.password.fill(ada.password);
    await login.button.click();
    await page.waitForURL(at('/dashboard'));
  });

  test('says the same as a name that nobody has', async ({ page, server, watch }) => {
    watch.allowStatus(401);
    const ada = await server.person();
    const answers: unknown[] = [];
    const login = new LoginPage(page);
    for (const name of [ada.name, 'nobody-of-this-name']) {
      await login.open();
      const answered = page.waitForResponse('**/api/login');
      await login.submit({ name, password: newPassword() });
      const answer = await answered;
      await expect(login.alert).toContainText('Wrong name or password.');
      const { date: _, 'x-request-id': __, ...headers } = answer.headers();
      answers.push([answer.status(), await answer.text(), headers, await login.alert.textContent()]);
      await expect(login.button).toBeEnabled();
    }
    expect(answers[0]).toEqual(answers[1]);
  });

  test.describe('for long enough', () => {
    test.use({ settings: { 'ban.invalid_credentials.ladder': '["9s"]' } });

    test('that is waited for is waited for after a reload too', async ({ page, server, watch }) => {
      watch.allowStatus(401);
      const ada = await server.person();
      const login = new LoginPage(page);
      await login.open();
      await login.submit({ ...ada, password: newPassword() });
      await expect(login.alert).toContainText('Wrong name or password.');
      await page.reload();
      await expect(login.countdown).toHaveText(/You can try again in \d seconds?\./);
      await expect(login.alert).toContainText(/Incident [0-9A-Z]{4}-[0-9A-Z]{2}\./);
      await expect(login.button).toBeDisabled();
      await expect(login.button).toBeEnabled({ timeout: 30_000 });
      await login.submit(ada);
      await page.waitForURL(at('/dashboard'));
    });
  });
});

test('a disabled account is answered like a wrong password', async ({ page, server, watch }) => {
  watch.allowStatus(401);
  const ada = await server.person();
  expect((await server.command(['user', 'disable', ada.name])).code).toBe(0);
  const login = new LoginPage(page);
  await login.open();
  await login.submit(ada);
  await expect(login.alert).toContainText('Wrong name or password.');
  await expect(login.button).toBeEnabled();
});

test.describe('after sign-in', () => {
  test('the page that was asked for opens', async ({ page, server }) => {
    const ada = await server.person();
    await page.goto('/dashboard/devices');
    await expect(page).toHaveURL('/login?next=/dashboard/devices');
    const login = new LoginPage(page);
    await login.alive();
    await login.submit(ada);
    await page.waitForURL(at('/dashboard/devices'));
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('Devices');
  });

  const elsewhere = [
    '//elsewhere.example',
    '///elsewhere.example',
    '/\\elsewhere.example',
    '\\\\elsewhere.example',
    '/%09/elsewhere.example',
    '/%0a/elsewhere.example',
    '/%0d%0a/elsewhere.example',
    '%09//elsewhere.example',
    '%20//elsewhere.example',
    'https://elsewhere.example',
    'https:elsewhere.example',
    'http://localhost@elsewhere.example',
    'javascript:alert(1)',
    'JavaScript:alert(1)',
    'data:text/html,x',
    '.elsewhere.example',
    '@elsewhere.example',
    '/dashboard%22%20onload=alert(1)',
    '%E3%80%82elsewhere.example',
    '',
  ];
  test('nothing leads to another site', async ({ page, server }) => {
    const client = new Client(server);
    const person = await server.person();
    for (const next of elsewhere) {
      const { text } = await client.get(`/login?next=${next}`);
      expect(/data-next="([^"]*)"/.exec(text)?.[1], next).toBe('/dashboard');
    }
    const me = { authorization: `Bearer ${(await client.login(person)).json.tokens.access_token}` };
    for (const next of elsewhere) {
      for (const path of ['/login', '/resume']) {
        const answer = await client.get(`${path}?next=${next}`, me);
        expect([answer.status, answer.headers.location], `${path}?next=${next}`).toEqual([303, '/dashboard']);
      }
    }
    await page.goto(`/login?next=${elsewhere[0]}`);
    const login = new LoginPage(page);
    await login.alive();
    await login.submit(person);
    await page.waitForURL(`${server.origin}/dashboard`);
  });

  test('the back button does not lead to the form again', async ({ page, server }) => {
    await page.goto('/login?why=signed_out');
    const login = new LoginPage(page);
    await login.alive();
    await login.submit(await server.person());
    await page.waitForURL(at('/dashboard'));
    await page.goBack();
    expect(page.url()).not.toContain('/login');
  });
});

test('the password can be shown and hidden, by mouse and keyboard', async ({ page }) => {
  const login = new LoginPage(page);
  await login.open();
  await login.password.fill('what I typed');
  await login.show.click();
  await expect(login.password).toHaveAttribute('type', 'text');
  await expect(login.show).toHaveAttribute('aria-pressed', 'true');
  await expect(login.password).toHaveValue('what I typed');
  await login.show.focus();
  await page.keyboard.press('Space');
  await expect(login.password).toHaveAttribute('type', 'password');
  await expect(login.show).toHaveAttribute('aria-pressed', 'false');
});

test('a shown password is hidden again before it is sent', async ({ page, server }) => {
  const ada = await server.person();
  const login = new LoginPage(page);
  await login.open();
  await login.fill(ada);
  await login.show.click();
  // The request is held, because a fast server would answer before the field is examined.
  const asked = new Promise<Route>((resolve) => page.route('**/api/challenge', resolve));
  await login.button.click();
  const challenge = await asked;
  await expect(login.password).toHaveAttribute('type', 'password');
  await challenge.continue();
  await page.waitForURL(at('/dashboard'));
});

test('a password can be pasted', async ({ page, server, context }) => {
  const ada = await server.person();
  await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: server.origin });
  const login = new LoginPage(page);
  await login.open();
  await page.evaluate((text) => navigator.clipboard.writeText(text), ada.password);
  await login.name.fill(ada.name);
  await login.password.focus();
  await page.keyboard.press('Control+V');
  await expect(login.password).toHaveValue(ada.password);
  await page.keyboard.press('Enter');
  await page.waitForURL(at('/dashboard'));
});

test('caps lock is mentioned', async ({ page, server }) => {
  await server.person();
  const login = new LoginPage(page);
  await login.open();
  await expect(login.caps).toBeEmpty();
  const typed = (on: boolean) =>
    login.password.evaluate((field, modifier) => {
      field.dispatchEvent(new KeyboardEvent('keyup', { key: 'A', modifierCapsLock: modifier, bubbles: true }));
    }, on);
  await typed(true);
  await expect(login.caps).toHaveText('Caps lock is on.');
  await typed(false);
  await expect(login.caps).toBeEmpty();
});

test('the keyboard alone signs in', async ({ page, server }) => {
  const ada = await server.person();
  const login = new LoginPage(page);
  await login.open();
  await expect(login.name).toBeFocused();
  await page.keyboard.type(ada.name);
  await page.keyboard.press('Tab');
  await expect(login.password).toBeFocused();
  await page.keyboard.type(ada.password);
  await page.keyboard.press('Tab');
  await expect(login.show).toBeFocused();
  await page.keyboard.press('Tab');
  await expect(page.locator('#code')).toBeFocused();
  await page.keyboard.press('Tab');
  await expect(login.button).toBeFocused();
  const outline = await login.button.evaluate((button) => getComputedStyle(button).outlineStyle);
  expect(outline).not.toBe('none');
  await page.keyboard.press('Enter');
  await page.waitForURL(at('/dashboard'));
});

test('one press too many sends one login', async ({ page, server }) => {
  const ada = await server.person();
  const login = new LoginPage(page);
  await login.open();
  await login.fill(ada);
  let posts = 0;
  page.on('request', (request) => (posts += Number(request.url().endsWith('/api/login'))));
  await page.evaluate(() => {
    const form = document.querySelector('form');
    for (let press = 0; press < 5; press += 1) form?.requestSubmit(form.querySelector<HTMLButtonElement>('[type=submit]'));
  });
  await page.waitForURL(at('/dashboard'));
  expect(posts).toBe(1);
});

test('without an answer the form says so and works again', async ({ page, server, watch }) => {
  watch.allowMessage(/net::ERR_FAILED/);
  const ada = await server.person();
  const login = new LoginPage(page);
  await login.open();
  await page.route('**/api/challenge', (route) => route.abort());
  await login.submit(ada);
  await expect(login.alert).toContainText('This site did not answer.');
  await expect(login.button).toBeEnabled();
  await expect(login.password).toHaveValue(ada.password);
  await page.unroute('**/api/challenge');
  await login.button.click();
  await page.waitForURL(at('/dashboard'));
});

test('a short_key that ran out is replaced unasked', async ({ page, server, watch }) => {
  watch.allowStatus(400);
  const ada = await server.person();
  const login = new LoginPage(page);
  await login.open();
  let posts = 0;
  await page.route('**/api/login', async (route) => {
    posts += 1;
    if (posts > 1) return route.continue();
    const problem = { status: 400, code: 'short_key_expired', title: 'The short_key has expired.' };
    return route.fulfill({ status: 400, contentType: 'application/problem+json', json: problem });
  });
  await login.submit(ada);
  await page.waitForURL(at('/dashboard'));
  expect(posts).toBe(2);
});

test('another name of this machine leads to the one that is configured', async ({ page, server, watch }) => {
  watch.allowOrigin(`http://127.0.0.1:${server.port}`);
  await page.goto(`http://127.0.0.1:${server.port}/login?why=ended`);
  expect(page.url()).toBe(`${server.origin}/login?why=ended`);
});
