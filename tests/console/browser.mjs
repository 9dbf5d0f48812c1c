// Drives the console in Chromium, and prints what it saw as JSON: `node browser.mjs URL REST_URL FOLDER FILE SECRETS`.

import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";

const [address, rest, folder, file, secretsText] = process.argv.slice(2);
const secrets = JSON.parse(secretsText);
const require = createRequire(`${folder}/`);
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
const args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
const browser = await chromium.launch({ executablePath, args });
const seen = { errors: [], foreign: [], axe: [], leaks: [] };
const texts = [];

async function open(scheme, width) {
  const context = await browser.newContext({ colorScheme: scheme, viewport: { width, height: 900 } });
  const page = await context.newPage();
  page.on("console", (message) => { if (message.type() === "error") seen.errors.push(message.text()); });
  page.on("pageerror", (error) => seen.errors.push(String(error)));
  page.on("request", (request) => { if (!request.url().startsWith(new URL(address).origin) && !request.url().startsWith("data:")) seen.foreign.push(request.url()); });
  page.on("response", async (response) => { if (!response.url().endsWith("/calls")) texts.push(await response.text().catch(() => "")); });
  await page.goto(address);
  await page.locator("#state", { hasText: /ready|degraded/ }).waitFor();
  return page;
}

async function audit(page, name) {
  await page.evaluate(axe);
  const found = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  for (const violation of found.violations) seen.axe.push(`${name}: ${violation.id}: ${violation.nodes.map((node) => node.html).slice(0, 2).join(" ")}`);
}

const page = await open("light", 1600);

// A call that somebody makes is there within a second.
await page.locator("#no-calls").waitFor();
const began = Date.now();
await fetch(`${rest}/items/7?key=${encodeURIComponent("caller")}`);
await page.locator("#calls > li").first().waitFor({ timeout: 10000 });
seen.seconds = (Date.now() - began) / 1000;
await page.locator("#calls summary").first().click();
seen.waterfall = await page.locator("#calls .fall tr").allInnerTexts();
seen.first = await page.locator("#calls summary").first().innerText();

// What is tried: a safe tool is called, another one is shown first.
await page.locator(".unit > summary", { hasText: "get-item" }).first().click();
await page.locator("form[aria-label='Try get-item'] input").first().fill("9");
await page.locator("form[aria-label='Try get-item'] button[type=submit]").click();
seen.tried = await page.locator("form[aria-label='Try get-item'] pre").first().innerText();
await page.locator(".unit > summary", { hasText: "put-item" }).first().click();
const put = page.locator("form[aria-label='Try put-item']");
await put.locator("input").first().fill("9");
await put.locator("button[type=submit]").click();
seen.dry = await put.locator("pre").first().innerText();
seen.beforeSending = await fetch(`${rest}/count`).then((answer) => answer.text()).catch(() => "");
await put.getByRole("button", { name: "Send it" }).click();
await put.locator("pre", { hasText: "Lamp" }).waitFor();
seen.sent = await put.locator("pre").first().innerText();

// An edit that breaks the file is held back, and shows its finding.
const before = readFileSync(file, "utf8");
writeFileSync(file, before.replace("call: shop.get-item", "call: shop.get-itme"));
await page.getByRole("button", { name: "Reload files" }).click();
await page.locator("#status", { hasText: "Held back" }).waitFor();
seen.held = await page.locator("#status").innerText();
await page.locator(".finding.error").first().waitFor();
seen.finding = await page.locator(".finding.error").first().innerText();
await audit(page, "light, 1600");
await page.screenshot({ path: `${folder}/light-1600.png`, fullPage: true });
writeFileSync(file, before);
await page.getByRole("button", { name: "Reload files" }).click();
await page.locator("#status", { hasText: "All files are served" }).waitFor();

texts.push(await page.content());

for (const [scheme, width] of [["dark", 390], ["light", 390], ["dark", 1600]]) {
  const other = await open(scheme, width);
  await other.locator("#calls > li").first().waitFor();
  await other.keyboard.press("Tab"); // the first stop skips to the content
  seen.skip = await other.evaluate(() => document.activeElement.textContent);
  await other.locator("#calls summary").first().click();
  await other.locator(".unit > summary", { hasText: "get-item" }).first().click();
  seen[`wide-${scheme}-${width}`] = await other.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  await audit(other, `${scheme}, ${width}`);
  await other.screenshot({ path: `${folder}/${scheme}-${width}.png`, fullPage: true });
  texts.push(await other.content());
}
for (const secret of secrets) for (const text of texts) if (text.includes(secret)) seen.leaks.push(secret);
await browser.close();
console.log(JSON.stringify(seen));
