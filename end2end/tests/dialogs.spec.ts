import { LoginPage } from '../pages/login';
import { People } from '../pages/people';
import { Client } from '../support/client';
import { openDialogs, repeatedButtons, repeatedIds } from '../support/names';
import { expect, test } from '../support/test';

test.use({ alone: true });

test('the link for a new password is announced with the name of its user, for each user', async ({ page, server, watch }) => {
  // The first change on a page is refused with the nonce for its proof.
  watch.allowStatus(401);
  await new LoginPage(page).signIn(await server.person('administrator'));
  const names = [];
  for (let made = 0; made < 3; made += 1) names.push((await server.person()).name);
  const people = new People(page);
  await people.open('/dashboard/users');
  for (const name of names) {
    await people.manage(name);
    await page.getByRole('button', { name: `Reset password for ${name}`, exact: true }).click();
    await expect(page.getByRole('dialog', { name: `A new password for ${name}`, exact: true })).toBeVisible();
    await expect(people.link).toHaveValue(/\/reset#code=/);
    await people.reloading(() => people.done.click());
    await people.manage(name);
    await page.getByRole('button', { name: `Delete ${name}`, exact: true }).click();
    await expect(page.getByRole('dialog', { name: `Delete ${name}?`, exact: true })).toBeVisible();
    await page.getByRole('button', { name: 'Keep account' }).click();
  }
});

test('no page has an id twice, two buttons of one name, or a dialog under another name', async ({ page, server, watch }) => {
  // The first change on a page is refused with the nonce for its proof.
  watch.allowStatus(401);
  const ada = await server.person('administrator');
  await new LoginPage(page).signIn(ada);
  const cook = await server.person();
  await server.person();
  for (const address of ['127.0.0.71', '127.0.0.72']) {
    expect((await new Client(server, address, { 'user-agent': `curl/8.14.${address.at(-1)}` }).login(ada)).status).toBe(200);
  }
  for (const address of ['192.0.2.1', '192.0.2.2']) {
    expect((await server.command(['ban', 'add', address, '--for', '1h', '--reason', 'a test'])).code).toBe(0);
    expect((await server.command(['allow', 'add', `198.51.100.${address.at(-1)}`, '--comment', 'a test'])).code).toBe(0);
  }
  const people = new People(page);
  for (const note of ['the cook', 'the gardener']) {
    await people.open('/dashboard/invitations');
    await people.invite(note);
  }
  const dialogs: string[] = [];
  for (const path of ['', '/devices', '/keys', '/time', '/activity', '/account', '/account/delete', '/users', '/invitations', '/bans', '/toll', '/server-keys', '/audit']) {
    await page.goto(`/dashboard${path}`);
    await people.alive();
    expect.soft(await repeatedIds(page), path).toEqual([]);
    expect.soft(await repeatedButtons(page), path).toEqual([]);
    dialogs.push(...(await openDialogs(page)));
  }
  expect(dialogs).toContain(`A new password for ${cook.name}`);
  expect(dialogs).toContain('You are invited to Postern');
  expect(dialogs.length).toBeGreaterThan(8);
});
