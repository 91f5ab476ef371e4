import { AccountPage } from '../pages/account';
import { Dashboard } from '../pages/dashboard';
import { LoginPage } from '../pages/login';
import { People } from '../pages/people';
import { SignupPage } from '../pages/signup';
import { newName, newPassword } from '../support/server';
import { expect, test } from '../support/test';
import { at } from '../support/url';

// Every test has an administrator of its own, and would otherwise count the accounts of others.
test.use({ alone: true });

test('an invitation makes one account, and then it is used up', async ({ page, visit, server, watch }) => {
  // The first change on a page is refused with the nonce for its proof.
  watch.allowStatus(401);
  watch.allowStatus(403);
  await new LoginPage(page).signIn(await server.person('administrator'));
  const people = new People(page);
  await people.open('/dashboard/invitations');
  await expect(people.said).toContainText('No open invitations.');
  const link = await people.invite('the <b>cook</b>');
  expect(link).toMatch(/\/signup#code=[\w-]{43}$/);
  await people.reloading(() => people.done.click());
  await expect(people.card('the <b>cook</b>')).toContainText('expires in 7 days');

  const guest = await visit();
  const cook = { name: newName(), password: newPassword() };
  const signup = new SignupPage(guest);
  await signup.signUp(cook, link);
  await expect(new Dashboard(guest).name).toHaveText(cook.name);
  expect(guest.url()).not.toContain('code');

  const second = new SignupPage(await visit());
  await second.open(link);
  await second.submit({ name: newName(), password: newPassword() });
  await expect(second.alert).toContainText('This invitation was already used.');
  await people.open('/dashboard/invitations');
  await expect(people.cards).toHaveCount(0);
});

test('without an invitation the form says what is missing', async ({ page, server }) => {
  await server.person();
  await page.goto('/login');
  await expect(page.getByRole('link', { name: 'Sign up' })).toHaveCount(0);
  await page.goto('/signup');
  const signup = new SignupPage(page);
  await expect(signup.alert).toContainText('Signing up here needs an invitation.');
  await expect(signup.button).toBeDisabled();
});

test('an invitation is revoked', async ({ page, visit, server, watch }) => {
  // The first change on a page is refused with the nonce for its proof.
  watch.allowStatus(401);
  watch.allowStatus(403);
  await new LoginPage(page).signIn(await server.person('administrator'));
  const people = new People(page);
  await people.open('/dashboard/invitations');
  const link = await people.invite('nobody');
  await people.reloading(() => people.done.click());
  await people.reloading(() => people.card('nobody').getByRole('button', { name: 'Revoke' }).click());
  await expect(people.cards).toHaveCount(0);
  const signup = new SignupPage(await visit());
  await signup.open(link);
  await signup.submit({ name: newName(), password: newPassword() });
  await expect(signup.alert).toContainText('This invitation was withdrawn.');
});

test('the printed invitation is the link and what it is for', async ({ page, server, watch }) => {
  // The first change on a page is refused with the nonce for its proof.
  watch.allowStatus(401);
  await new LoginPage(page).signIn(await server.person('administrator'));
  const people = new People(page);
  await people.open('/dashboard/invitations');
  const link = await people.invite('paper');
  await page.emulateMedia({ media: 'print' });
  await expect(page.getByText(link, { exact: true })).toBeVisible();
  await expect(page.getByRole('heading', { name: 'You are invited to Postern' })).toBeVisible();
  await expect(page.getByRole('navigation')).toBeHidden();
  await expect(people.link).toBeHidden();
  await expect(people.done).toBeHidden();
});

test('roles, disabling and deleting, and who may not', async ({ page, visit, server, watch }) => {
  watch.allowStatus(401, 404);
  await new LoginPage(page).signIn(await server.person('administrator'));
  const bob = await server.person();
  const bobs = await visit();
  await new LoginPage(bobs).signIn(bob);
  await expect(bobs.getByRole('link', { name: 'Users' })).toHaveCount(0);
  for (const path of ['/dashboard/users', '/dashboard/invitations']) {
    expect((await bobs.goto(path))?.status()).toBe(404);
  }

  const people = new People(page);
  await people.open('/dashboard/users');
  const card = await people.manage(bob.name);
  await card.getByRole('button', { name: 'Make admin' }).click();
  await people.reloading(() => people.dialog.getByRole('button', { name: 'Make administrator' }).click());
  await expect(card).toContainText('administrator');
  expect((await bobs.goto('/dashboard/users'))?.status()).toBe(200);
  await people.manage(bob.name);
  await card.getByRole('button', { name: 'Remove admin' }).click();
  await people.reloading(() => people.dialog.getByRole('button', { name: 'Remove role' }).click());
  await people.manage(bob.name);
  await card.getByRole('button', { name: 'Disable' }).click();
  await people.reloading(() => people.dialog.getByRole('button', { name: 'Disable account' }).click());
  await expect(card).toContainText('disabled');
  await bobs.goto('/dashboard');
  await bobs.waitForURL(/\/login/);

  await people.manage(bob.name);
  await people.reloading(() => card.getByRole('button', { name: 'Enable' }).click());
  await people.manage(bob.name);
  await card.getByRole('button', { name: 'Delete' }).click();
  await people.reloading(() => people.dialog.getByRole('button', { name: 'Delete account' }).click());
  await expect(card).toHaveCount(0);
});

test('a forgotten password is set with a one-time link', async ({ page, visit, server, watch }) => {
  watch.allowStatus(401, 410);
  await new LoginPage(page).signIn(await server.person('administrator'));
  const bob = await server.person();
  const people = new People(page);
  await people.open('/dashboard/users');
  await (await people.manage(bob.name)).getByRole('button', { name: 'Reset password' }).click();
  const link = await people.link.inputValue();

  const bobs = await visit();
  const reset = new AccountPage(bobs);
  await reset.open(link);
  expect(bobs.url()).not.toContain('code');
  const better = { ...bob, password: newPassword() };
  await reset.password.fill(better.password);
  await reset.button.click();
  await bobs.waitForURL(at('/login?why=password_set'));
  await expect(bobs.getByText('Your new password is set.')).toBeVisible();
  const login = new LoginPage(bobs);
  await login.alive();
  await login.submit(better);
  await bobs.waitForURL(at('/dashboard'));

  const again = new AccountPage(await visit());
  await again.open(link);
  await again.password.fill(newPassword());
  await again.button.click();
  await expect(again.alert).toContainText('This link was already used or has expired.');
});

test('a person changes the password, and every other session ends', async ({ page, visit, server, watch }) => {
  watch.allowStatus(401, 403);
  const ada = await server.person();
  const other = await visit();
  await new LoginPage(other).signIn(ada);
  await new LoginPage(page).signIn(ada);
  const account = new AccountPage(page);
  await account.open();

  await account.old.fill('not the old password');
  await account.password.fill(newPassword());
  await account.button.click();
  await expect(account.alert).toContainText('That is not your current password.');
  await account.alive();

  const better = newPassword();
  await account.old.fill(ada.password);
  await account.password.fill(better);
  await account.button.click();
  await expect(account.said).toContainText('Your password was changed.');
  await other.goto('/dashboard');
  await other.waitForURL(/\/login/);
  await page.goto('/dashboard');
  await expect(new Dashboard(page).heading).toHaveText('Overview');
  await new LoginPage(await visit()).signIn({ ...ada, password: better });
});

test('a person leaves', async ({ page, server, watch }) => {
  watch.allowStatus(401, 403);
  await server.person('administrator');
  const ada = await server.person();
  await new LoginPage(page).signIn(ada);
  const account = new AccountPage(page);
  await page.goto('/dashboard/account');
  await page.getByRole('link', { name: 'Delete account' }).click();
  await account.alive();
  await account.password.fill(ada.password);
  await account.button.click();
  await page.waitForURL(at('/login?why=deleted'));
  await expect(page.getByText('Your account was deleted.')).toBeVisible();
  expect((await server.command(['user', 'list'])).stdout).not.toContain(ada.name);
});

test('the keyboard alone invites somebody', async ({ page, server, watch }) => {
  // The first change on a page is refused with the nonce for its proof.
  watch.allowStatus(401);
  await new LoginPage(page).signIn(await server.person('administrator'));
  const people = new People(page);
  await people.open('/dashboard/invitations');
  await page.getByLabel('Note (seen').focus();
  await page.keyboard.type('keys only');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Tab');
  await expect(page.getByRole('button', { name: 'Create invitation' })).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(people.dialog).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(people.dialog).toHaveCount(0);
});
