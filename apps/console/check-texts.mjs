// SPDX-License-Identifier: Apache-2.0
// Every text of the page stands in src/words, in each language. Prints what breaks that and exits 1.
// Usage: node check-texts.mjs [source folder]
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";

const source = process.argv[2] ?? "src";
const faults = [];
const read = (name) => readFileSync(join(source, name), "utf8");
const parse = (name) => ts.createSourceFile(name, read(name), ts.ScriptTarget.Latest, true);

/** The entries of the object literals in a file, by the name that each object is given there. */
function tablesOf(name) {
  const tables = {};
  const visit = (at) => {
    if (ts.isObjectLiteralExpression(at)) {
      let owner = at.parent;
      while (owner && !ts.isVariableDeclaration(owner) && !ts.isPropertyAssignment(owner)) owner = owner.parent;
      const texts = at.properties.filter((each) => ts.isStringLiteral(each.initializer));
      if (texts.length) tables[owner.name.text] = new Map(texts.map((each) => [each.name.text, each.initializer.text]));
    }
    ts.forEachChild(at, visit);
  };
  visit(parse(name));
  return tables;
}

const holes = (text) => [...text.matchAll(/\{(\w+)\}/g)].map((found) => found[1]).sort().join(" ");

function compare(en, zh) {
  for (const [key, text] of en) {
    const other = zh.get(key);
    if (!text) faults.push(`words/en.ts: "${key}" is empty`);
    if (!other) faults.push(`words/zh.ts: "${key}" is missing`);
    else if (holes(other) !== holes(text)) faults.push(`words/zh.ts: "${key}" has other values than in English`);
  }
  for (const key of zh.keys()) if (!en.has(key)) faults.push(`words/en.ts: "${key}" is missing`);
}

/** What people would read: two words in a row, a sentence, a word by itself, or letters beyond ASCII. */
const isText = (literal) => /[A-Za-z]{2,} [A-Za-z]{2,}/.test(literal) || /^[A-Z][^{}]*[.!?…]$/.test(literal) || /^[A-Z][a-z]+$/.test(literal) || /[^\x00-\x7f–·…]/.test(literal);
/** Not read by people: class names, fonts, and what the protocol's fields are called. */
const technical = [/^(badge|pill|number)( good| warn| bad)?$/, /^\d+px /, /^(Accept|Authorization|Bearer)$/];

function checkCode(name, words) {
  const fault = (at, what) => {
    const { line } = at.getSourceFile().getLineAndCharacterOfPosition(at.getStart());
    faults.push(`${name}:${line + 1}: ${what}`);
  };
  const visit = (at) => {
    if (ts.isStringLiteral(at) || ts.isNoSubstitutionTemplateLiteral(at) || ts.isTemplateHead(at) || ts.isTemplateMiddle(at) || ts.isTemplateTail(at)) {
      const literal = at.text.trim();
      if (isText(literal) && !technical.some((form) => form.test(literal))) fault(at, `the text "${literal}" stands outside words/`);
    }
    if (ts.isCallExpression(at) && at.expression.getText() === "node" && at.arguments[1] && ts.isStringLiteral(at.arguments[1]) && /[A-Za-z]/.test(at.arguments[1].text)) {
      fault(at, `the text "${at.arguments[1].text}" stands outside words/`);
    }
    if (ts.isBinaryExpression(at) && /\.(textContent|title|placeholder|ariaLabel)$/.test(at.left.getText()) && ts.isStringLiteral(at.right) && /[A-Za-z]/.test(at.right.text)) {
      fault(at, `the text "${at.right.text}" stands outside words/`);
    }
    if (ts.isCallExpression(at) && at.expression.getText() === "t" && ts.isStringLiteral(at.arguments[0])) words.used.add(at.arguments[0].text);
    ts.forEachChild(at, visit);
  };
  visit(parse(name));
}

function checkMarkup(name, words) {
  const markup = read(name);
  const body = markup.slice(markup.indexOf("<body"));
  for (const [, text] of body.matchAll(/>([^<]*[A-Za-z\u0080-\uffff][^<]*)</g)) {
    if (text.trim() !== "ECP") faults.push(`${name}: the text "${text.trim()}" stands outside words/`);
  }
  for (const [, attribute] of body.matchAll(/ (?:title|placeholder|alt|aria-label)="([^"]+)"/g)) faults.push(`${name}: the text "${attribute}" stands outside words/`);
  for (const [, key] of body.matchAll(/ data-(?:text|label)="([^"]+)"/g)) words.used.add(key);
}

const { en } = tablesOf("words/en.ts");
const { zh } = tablesOf("words/zh.ts");
compare(en, zh);
const words = { used: new Set() };
for (const name of readdirSync(source)) {
  if (name.endsWith(".ts")) checkCode(name, words);
  if (name.endsWith(".html")) checkMarkup(name, words);
}
// Keys that are put together from the server's words; any other must be asked for by its name.
const composed = /^(state|severity|alarm\.name|alarm|op|action|role|value|audit)\./;
for (const key of words.used) if (!en.has(key)) faults.push(`words/en.ts: "${key}" is missing`);
for (const key of en.keys()) if (!words.used.has(key) && !composed.test(key)) faults.push(`words/en.ts: "${key}" is used nowhere`);

for (const fault of faults) console.error(fault);
process.exit(faults.length ? 1 : 0);
