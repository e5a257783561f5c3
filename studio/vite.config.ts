import adapter from '@sveltejs/adapter-static';
import { sveltekit } from '@sveltejs/kit/vite';
import { defineConfig } from 'vite';

const engine = process.env['PLUMBLINE_ENGINE'] ?? 'http://127.0.0.1:4400';
const proxied = { target: engine, changeOrigin: true, headers: { origin: engine } };

export default defineConfig({
  plugins: [
    sveltekit({
      compilerOptions: { runes: ({ filename }) => (filename.includes('node_modules') ? undefined : true) },
      adapter: adapter({ fallback: 'index.html' }),
    }),
  ],
  // The engine's content security policy allows fonts from its own address only, so nothing is inlined as data:.
  build: { assetsInlineLimit: 0 },
  server: { proxy: { '/api': proxied, '/oauth': proxied, '/sandbox': proxied } },
});
