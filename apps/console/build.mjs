// SPDX-License-Identifier: Apache-2.0
// Bundles the live page and refuses to let it grow beyond its budget.
import { build } from "esbuild";
import { copyFileSync, mkdirSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { gzipSync } from "node:zlib";

const budget = 60_000; // Octets of everything the page loads, compressed.

rmSync("dist", { recursive: true, force: true });
mkdirSync("dist/assets", { recursive: true });
await build({
  entryPoints: { live: "src/live.ts", style: "src/style.css" },
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  outdir: "dist/assets",
  logLevel: "warning",
});
copyFileSync("src/index.html", "dist/index.html");
const files = ["dist/index.html", ...readdirSync("dist/assets").map((name) => `dist/assets/${name}`)];
const size = files.reduce((sum, file) => sum + gzipSync(readFileSync(file)).length, 0);
console.log(`live page: ${size} bytes compressed in ${files.length} files (budget ${budget})`);
if (size > budget) process.exit(1);
