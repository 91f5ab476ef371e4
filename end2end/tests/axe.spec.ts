import type { Page } from '@playwright/test';
import { AccountPage } from '../pages/account';
import { BannedPage } from '../pages/banned';
import { BansPage } from '../pages/bans';
import { Dashboard } from '../pages/dashboard';
import { LoginPage } from '../pages/login';
import { KeysPage } from '../pages/keys';
import { People } from '../pages/people';
import { SignupPage } from '../pages/signup';
import { TimePage } from '../pages/time';
import { LOOKS, faults } from '../support/axe';
import { Client } from '../support/client';
import { lift } from '../support/lift';
import { newPassword, type Person, type Server } from '../support/server';
import { expect, test } from '../support/test';
import { TimeServer } from '../support/time-server';

test.use({ alone: true, settings: { 'signup.mode': 'open', 'ban.invalid_credentials.ladder': '["1m"]' } });

/** Opens every page as a person would; `look` is called on each. */
async function everyPage(page: Page, server: Server, ada: Person, look: (name: string) => Promise<void>): Promise<void> {
  const login = new LoginPage(page);
  await login.open();
  await look('login');
  await login.submit({ ...ada, password: newPassword() });
  await expect(login.countdown).toContainText('You can try again in');
  await look('login with an error');
  await page.reload();
  await expect(login.countdown).toContainText('You can try again in');
  await look('login while it is closed');
  await lift(server);

  const signup = new SignupPage(page);
  await signup.open();
  await signup.suggest.click();
  await look('signup');
  await page.goto('/nothing');
  await look('nothing');

  await login.signIn(ada);
  await look('dashboard');
  // Early, while the sign-in is a fresh proof.
  await new AccountPage(page).open();
  await page.getByRole('button', { name: 'Set up one-time codes' }).click();
  await expect(page.getByRole('img', { name: 'QR code for your authenticator app' })).toBeVisible();
  await expect(page.locator('.secret')).toHaveText(/^[A-Z2-7]{32}$/);
  await look('one-time codes');
  const dashboard = new Dashboard(page);
  await dashboard.open('/dashboard/devices');
  await look('devices');
  await dashboard.endOthers.click();
  await look('devices with a question');
  await page.goto('/dashboard/activity');
  await look('activity');

  const keys = new KeysPage(page);
  await keys.open();
  await keys.rotate.click();
  await look('keys with a question');
  await keys.open('/dashboard/server-keys');
  await look('server keys');
  await page.goto('/dashboard/toll');
  await look('toll');
  const time = new TimePage(page);
  await time.open();
  await look('time');
  await time.start();
  await expect(time.clock).toHaveText(/\d\d:\d\d:\d\d\.\d{9}/);
  await look('time that runs');

  const people = new People(page);
  await new AccountPage(page).open();
  await look('account');
  await new AccountPage(page).open('/dashboard/account/delete');
  await look('deletion');
  await people.open('/dashboard/invitations');
  await people.invite('the cook');
  await look('invitation');
  await people.open('/dashboard/invitations');
  await look('invitations');
  await people.open('/dashboard/users');
  await look('users');
  await people.cards.getByText('Manage', { exact: true }).first().click();
  await look('users with actions');
  await people.cards.getByRole('button', { name: 'Delete' }).first().click();
  await look('users with a question');
  await people.open('/dashboard/users', '?word=xyzzy');
  await look('users without any');
  const bans = new BansPage(page);
  await bans.open();
  await look('bans without any');
  for (const form of ['Ban an address', 'Explain an address', 'Allowlist']) await bans.unfold(form);
  await look('bans with its forms');
  await server.command(['ban', 'add', '203.0.113.11', '--for', '1h', '--reason', 'A test.']);
  await server.command(['allow', 'add', '192.0.2.0/24', '--comment', 'The office']);
  await bans.open('?explain=203.0.113.11');
  await bans.card('203.0.113.11').getByText('Lift', { exact: true }).click();
  await look('bans');
  await page.goto('/dashboard/audit');
  await look('audit');
  await page.goto('/dashboard/audit?event=backup_restored');
  await look('audit without any');
  await page.goto('/dashboard/help');
  await look('help');
  await page.goto('/dashboard/help/bans');
  await look('a page of the help');
  await new AccountPage(page).open('/reset#code=x');
  await look('reset');

  await new Client(server).post('/api/login', { encrypted_username_password: 'a.b.c.d.e', short_key: 'A'.repeat(204) });
  // A signed-in person stays signed in; a stranger gets the page about the ban.
  await page.context().clearCookies();
  await page.goto('/dashboard');
  await expect(new BannedPage(page).heading).toBeVisible();
  await look('banned');
  await lift(server);
}

let time: TimeServer | undefined;
test.afterEach(() => time?.end());

/** Makes an account with two more devices and some activity. */
async function somebody(server: Server): Promise<Person> {
  const ada = await server.person('administrator');
  await server.person();
  time = await TimeServer.beside(server);
  for (const [address, agent] of [['127.0.0.71', 'curl/8.14.1'], ['127.0.0.72', 'postern-client/1.0']] as const) {
    const answer = await new Client(server, address, { 'user-agent': agent }).login(ada);
    expect(answer.status).toBe(200);
  }
  await new Client(server, '127.0.0.73').login({ ...ada, password: newPassword() });
  return ada;
}

/** A folder for a picture of every page in every look: `PICTURES=folder npx playwright test axe`. */
const PICTURES = process.env.PICTURES;

test('axe finds nothing on any page, in any colours, narrow and wide', async ({ visit, server, watch }) => {
  // About 160 pages in all.
  test.setTimeout(6 * 60_000);
  watch.allowStatus(401, 403, 404);
  const page = await visit({ bypassCSP: true });
  const looked = new Set<string>();
  await everyPage(page, server, await somebody(server), async (name) => {
    looked.add(name);
    for (const [look, media] of Object.entries(LOOKS)) {
      await page.emulateMedia(media);
      for (const width of [360, 1280]) {
        await page.setViewportSize({ width, height: 800 });
        if (PICTURES) await page.screenshot({ path: `${PICTURES}/${name}, ${look}, ${width}.png`, fullPage: true });
        expect.soft(await faults(page), `${name}, ${look}, ${width} px`).toEqual([]);
      }
    }
  });
  expect(looked.size).toBe(32);
});

test('nothing scrolls sideways at 320 px, nor at 200 %', async ({ visit, server, watch }) => {
  watch.allowStatus(401, 403, 404);
  const page = await visit();
  await everyPage(page, server, await somebody(server), async (name) => {
    // 1280 px at 200 % are 640 px.
    for (const width of [320, 640]) {
      await page.setViewportSize({ width, height: 400 });
      const content = await page.evaluate(() => document.documentElement.scrollWidth);
      expect.soft(content, `${name}, ${width} px`).toBeLessThanOrEqual(width);
    }
  });
});

test('what can be touched is large enough on a telephone', async ({ visit, server, watch }) => {
  watch.allowStatus(401, 403, 404);
  const page = await visit({ viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true });
  await everyPage(page, server, await somebody(server), async (name) => {
    const small = await page.evaluate(() =>
      [...document.querySelectorAll('button, input, nav a, a.button, a.home, summary')]
        .map((element) => ({ box: element.getBoundingClientRect(), html: element.outerHTML.slice(0, 80) }))
        .filter(({ box }) => box.width > 0 && (box.width < 44 || box.height < 44))
        .map(({ box, html }) => `${Math.round(box.width)} x ${Math.round(box.height)}: ${html}`),
    );
    expect.soft(small, name).toEqual([]);
  });
});

test('nothing moves where motion is not wanted', async ({ visit, server }) => {
  const page = await visit({ reducedMotion: 'reduce' });
  await new LoginPage(page).signIn(await server.person());
  const moving = await page.evaluate(() =>
    [...document.querySelectorAll('*')].filter((element) => {
      const { transitionDuration, animationDuration } = getComputedStyle(element);
      return [transitionDuration, animationDuration].some((text) => text.split(',').some((one) => Number.parseFloat(one) > 0.01));
    }).length,
  );
  expect(moving).toBe(0);
});
