import { AccountPage } from '../pages/account';
import { LoginPage } from '../pages/login';
import { People } from '../pages/people';
import { SignupPage } from '../pages/signup';
import { Client } from '../support/client';
import { check } from '../support/keyboard';
import { test } from '../support/test';

test.use({ alone: true, settings: { 'signup.mode': 'open' } });

test('Tab goes through every page, in order, and is always to be seen', async ({ page, server, watch }) => {
  test.slow();
  watch.allowStatus(401, 403, 404);
  const ada = await server.person('administrator');
  await server.person();
  const login = new LoginPage(page);
  await login.open();
  await check(page, 'login');
  const signup = new SignupPage(page);
  await signup.open();
  await check(page, 'signup');
  await new AccountPage(page).open('/reset#code=x');
  await check(page, 'reset');
  await page.goto('/nothing');
  await check(page, 'nothing');

  await login.signIn(ada);
  const alive = () => page.locator('.who button:enabled').waitFor();
  for (const path of ['', '/devices', '/keys', '/time', '/activity', '/account', '/account/delete', '/users', '/invitations', '/bans', '/toll', '/server-keys', '/audit']) {
    await page.goto(`/dashboard${path}`);
    await alive();
    if (path.startsWith('/account')) await new AccountPage(page).alive();
    await check(page, `dashboard${path}`);
  }
  const people = new People(page);
  await people.open('/dashboard/invitations');
  await people.invite('keys');
  await check(page, 'invitation');

  await new Client(server).post('/api/login', { encrypted_username_password: 'a.b.c.d.e', short_key: 'A'.repeat(204) });
  await page.goto('/dashboard');
  await check(page, 'banned');
});
