/* Builds the canvas into `static/`, where it is committed. `--check` compares instead of writing. */
import { readFile, writeFile, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = dirname(fileURLToPath(import.meta.url));
const target = join(here, '../../static/wagtail_triggers/canvas');

const { outputFiles } = await build({
  absWorkingDir: here,
  entryPoints: { canvas: 'src/main.tsx' },
  outdir: target,
  bundle: true,
  write: false,
  minify: true,
  format: 'iife', // its React is private: nothing is put on `window`
  target: ['chrome111', 'firefox113', 'safari16.4'],
  jsx: 'automatic',
  charset: 'utf8',
  legalComments: 'eof',
  define: { 'process.env.NODE_ENV': '"production"' },
});

const stale = [];
for (const file of outputFiles) {
  if (process.argv.includes('--check')) {
    const committed = await readFile(file.path, 'utf8').catch(() => '');
    if (committed !== file.text) stale.push(file.path);
  } else {
    await mkdir(dirname(file.path), { recursive: true });
    await writeFile(file.path, file.text);
  }
  console.log(`${file.path.slice(target.length + 1)} ${file.contents.length} bytes`);
}
if (stale.length > 0) {
  console.error(`Not what the source says: ${stale.join(', ')}. Run: npm run build`);
  process.exit(1);
}
