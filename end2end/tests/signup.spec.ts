import { Dashboard } from '../pages/dashboard';
import { LoginPage } from '../pages/login';
import { SignupPage } from '../pages/signup';
import { Client } from '../support/client';
import { newName, newPassword, type Server } from '../support/server';
import { expect, test } from '../support/test';
import { at } from '../support/url';

async function signUp(server: Server, account: object) {
  const client = new Client(server);
  return client.post('/api/signup', client.seal(await client.challenge(), account, undefined, { type: 'signup+jwe' }));
}

test.describe('where sign-up is closed', () => {
  test.use({ settings: { 'signup.mode': 'closed' } });

  test('the page says so and the login page does not mention it', async ({ page, server }) => {
    await server.person();
    await page.goto('/signup');
    await expect(page.getByText('Sign-up is closed on this site.')).toBeVisible();
    await expect(page.locator('form')).toHaveCount(0);
    await page.getByRole('link', { name: 'Sign in' }).click();
    await new LoginPage(page).alive();
    await expect(page.getByRole('link', { name: 'Sign up' })).toHaveCount(0);
  });

  test('the server refuses it too, and bans nobody for asking', async ({ server }) => {
    const ada = await server.person();
    for (let time = 0; time < 3; time += 1) {
      const answer = await signUp(server, { username: newName(), password: newPassword() });
      expect([answer.status, answer.json.code]).toEqual([403, 'signup_closed']);
    }
    expect((await new Client(server).login(ada)).status).toBe(200);
  });
});

test.describe('where sign-up is open', () => {
  test.use({ settings: { 'signup.mode': 'open' } });

  test('anybody makes an account, is signed in, and is no administrator', async ({ page, visit, server }) => {
    await server.person('administrator');
    await page.goto('/login');
    await page.getByRole('link', { name: 'Sign up' }).click();
    const person = { name: newName(), password: newPassword() };
    const signup = new SignupPage(page);
    await signup.alive();
    await signup.submit(person);
    await page.waitForURL(at('/dashboard'));
    await expect(new Dashboard(page).name).toHaveText(person.name);
    await expect(page.getByText('You have an account here.')).toBeVisible();
    await expect(page.getByText('administrator')).toHaveCount(0);

    await new LoginPage(await visit()).signIn(person);
  });

  test('a name that is taken is refused, whatever its case', async ({ page, server, watch }) => {
    watch.allowStatus(409);
    const ada = await server.person();
    const signup = new SignupPage(page);
    await signup.open();
    await signup.submit({ name: ada.name.toUpperCase(), password: newPassword() });
    await expect(signup.alert).toContainText('This name is taken.');
    await expect(signup.button).toBeEnabled();
    await expect(signup.name).toHaveValue(ada.name.toUpperCase());
  });

  test('names and passwords have limits, and the limits are exact', async ({ server }) => {
    await server.person();
    const [name, password] = ['x', newPassword()];
    const long = (length: number) => `${'tadumi verosa kelunu '.repeat(60).slice(0, length - 1)}!`;
    const cases: [object, number, string?][] = [
      [{ username: '', password }, 422, 'name_invalid'],
      [{ username: '-ada', password }, 422, 'name_invalid'],
      [{ username: 'ada lovelace', password }, 422, 'name_invalid'],
      [{ username: '<b>ada</b>', password }, 422, 'name_invalid'],
      [{ username: `ada\u0000`, password }, 422, 'name_invalid'],
      [{ username: 'a'.repeat(65), password }, 422, 'name_invalid'],
      [{ username: 'a'.repeat(64), password }, 200],
      [{ username: 'ädä.løvelace@example', password }, 200],
      [{ username: `${name}1`, password: 'kelunu-pidira!' }, 422, 'password_too_short'],
      [{ username: `${name}2`, password: 'kelunu-pidira!7' }, 200],
      [{ username: `${name}3`, password: long(64) }, 200],
      [{ username: `${name}4`, password: long(1024) }, 200],
      [{ username: `${name}5`, password: long(1025) }, 422, 'password_too_long'],
      // Fifteen code points, sixty bytes.
      [{ username: `${name}6`, password: '🐉🏰🚪🌙🗝🛡🔥🌊🍎🎲🎻🚲🦉🧭🪐' }, 200],
    ];
    for (const [account, status, code] of cases) {
      const answer = await signUp(server, account);
      expect([answer.status, answer.json.code], JSON.stringify(account).slice(0, 80)).toEqual([status, code]);
    }
  });

  test('a password counts to its last character, and exactly as it was typed', async ({ server }) => {
    await server.person();
    const base = `${'tadumi verosa kelunu '.repeat(5).slice(0, 99)}`;
    const person = { name: newName(), password: `${base}é` };
    expect((await signUp(server, { username: person.name, password: person.password })).status).toBe(200);
    let address = 2;
    for (const [password, status] of [
      [`${base}e`, 401],
      [`${base}e\u0301`, 401],
      [`${base}é `, 401],
      [`${base}é`, 200],
    ] as const) {
      const answer = await new Client(server, `127.0.0.${(address += 1)}`).login({ ...person, password });
      expect(answer.status, password.slice(-3)).toBe(status);
    }
  });
});
