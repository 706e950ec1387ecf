import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

const server = process.env.FLOWPILOT_ADDRESS ?? "http://127.0.0.1:8080";
const forward = { target: server, changeOrigin: true, headers: { origin: server } };

export default defineConfig({
  plugins: [react(), tailwindcss()],
  build: {
    target: "es2023",
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0, // the content security policy allows no data: scripts, and files are cached for ever
    reportCompressedSize: false,
    chunkSizeWarningLimit: 600,
    rolldownOptions: {
      output: {
        // What every page needs is one file: fewer requests, and it stays cached when the pages change.
        advancedChunks: { groups: [{ name: "code_mirror", test: /node_modules\/(@codemirror\/(autocomplete|commands|language|lint|search|state|view|lang-json)|@lezer\/(common|highlight|lr|json)|style-mod|w3c-keyname|crelt)\// }, { name: "vendor", test: /node_modules\/(react|react-dom|scheduler|@tanstack|lucide-react|radix-ui|@radix-ui|cmdk|clsx|use-sync-external-store|openapi-fetch)\// }] },
      },
    },
  },
  worker: { format: "es" },
  server: { proxy: { "/api": forward, "/ws": { ...forward, ws: true }, "/docs": forward, "/readyz": forward } },
  test: { environment: "happy-dom", testTimeout: 60_000, environmentOptions: { happyDOM: { url: "http://localhost/" } }, setupFiles: ["src/test_setup.ts"], include: ["src/**/*.test.{ts,tsx}"] },
});
