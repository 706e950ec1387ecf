// Puts NAME.br and NAME.gz beside every file of the build worth compressing, and a stamp that tells CMake to pack anew.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { extname, join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const folder = new URL("../dist/", import.meta.url).pathname;
const compressible = new Set([".html", ".js", ".css", ".svg", ".json", ".txt", ".map"]);
const hash = createHash("sha256");

function walk(path) {
  for (const name of readdirSync(path).sort()) {
    const file = join(path, name);
    if (statSync(file).isDirectory()) walk(file);
    else if (name !== ".stamp" && !name.endsWith(".br") && !name.endsWith(".gz")) compress(file);
  }
}

function compress(file) {
  const body = readFileSync(file);
  hash.update(file.slice(folder.length)).update(body);
  if (!compressible.has(extname(file)) || body.length < 512) return;
  const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: body.length };
  writeFileSync(`${file}.br`, brotliCompressSync(body, { params }));
  writeFileSync(`${file}.gz`, gzipSync(body, { level: 9 }));
}

walk(folder);
writeFileSync(join(folder, ".stamp"), `${hash.digest("hex")}\n`);
