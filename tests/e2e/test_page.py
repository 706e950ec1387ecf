#!/usr/bin/env python3
"""The web page as a browser gets it from the real binary, whichever page was built in, or none. Needs FLOWPILOT_BIN."""
import base64
import gzip
import hashlib
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from harness import ROOT, ServerTest

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8", "Accept-Encoding": "gzip, deflate, br"}


class PageTest(ServerTest):
    def page(self, path: str = "/", method: str = "GET", **headers):
        return self.client.call(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()}, check=False)

    def require_page(self) -> str:
        text = self.page().body.decode()
        if "this build of it has no page" in text.lower():
            self.skipTest("web/dist was empty when the binary was built")
        return text

    def test_the_home_page_comes_with_all_that_protects_it(self) -> None:
        home = self.page()
        self.assertEqual((home.status, home.headers["Content-Type"]), (200, "text/html; charset=utf-8"))
        for name, value in {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin", "X-Frame-Options": "DENY",
                            "Cross-Origin-Opener-Policy": "same-origin"}.items():
            self.assertEqual(home.headers.get_all(name), [value])
        policy = home.headers.get_all("Content-Security-Policy")
        self.assertEqual(len(policy), 1)
        self.assertIn("default-src 'none'", policy[0])
        self.assertIn("frame-ancestors 'none'", policy[0])
        self.assertNotIn("unsafe", policy[0])

    def test_the_policy_names_each_script_written_into_the_page(self) -> None:
        text = self.require_page()
        policy = self.page().headers["Content-Security-Policy"]
        for attributes, script in re.findall(r"<script\b([^>]*)>(.*?)</script>", text, re.S):
            if "src=" not in attributes:
                self.assertIn(f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'", policy)

    def test_what_the_page_names_is_there_and_kept(self) -> None:
        assets = re.findall(r'(?:src|href)="(/assets/[^"]+)"', self.require_page())
        self.assertTrue(assets)
        for path in assets:
            whole = self.page(path)
            self.assertEqual((whole.status, whole.headers["Cache-Control"]), (200, "public, max-age=31536000, immutable"), path)
            packed = self.page(path, Accept_Encoding="gzip")
            if packed.headers["Content-Encoding"] == "gzip":
                self.assertEqual(gzip.decompress(packed.body), whole.body)
                self.assertNotEqual(packed.headers["ETag"], whole.headers["ETag"])
                self.assertEqual(packed.headers.get_all("Vary"), ["Accept-Encoding"])
            best = self.page(path, Accept_Encoding="gzip, deflate, br")
            self.assertLessEqual(len(best.body), len(packed.body))
            again = self.page(path, Accept_Encoding="gzip", If_None_Match=packed.headers["ETag"])
            self.assertEqual((again.status, again.body, again.headers["ETag"]), (304, b"", packed.headers["ETag"]))
            head = self.page(path, "HEAD")
            self.assertEqual((head.body, head.headers["Content-Length"]), (b"", str(len(whole.body))))

    def test_a_view_of_the_page_is_the_page(self) -> None:
        for path in ("/workflows/019a", "/executions/019a?step=a", "/settings"):
            view = self.page(path, **{name.replace("-", "_"): value for name, value in BROWSER.items()})
            self.assertEqual((view.status, view.headers["Content-Type"]), (200, "text/html; charset=utf-8"), path)
            self.assertEqual(self.page(path, Accept="application/json").status, 404)

    def test_what_belongs_to_the_server_never_gets_the_page(self) -> None:
        for path in ("/api/nothing/", "/api", "/ws/nothing", "/hooks/nothing", "/metrics/nothing", "/assets/nothing-1234.js", "/docs/nothing"):
            reply = self.page(path, Accept="text/html")
            self.assertEqual((reply.status, reply.headers["Content-Type"]), (404, "application/problem+json"), path)

    def test_no_path_leads_out_of_the_pack(self) -> None:
        for path in ("/../../etc/passwd", "/assets/../../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/assets/%2e%2e/%2e%2e/etc/passwd", "/.stamp"):
            reply = self.page(path)
            self.assertIn(reply.status, (400, 404), path)
            self.assertNotIn(b"root:", reply.body)

    def test_nothing_can_be_written_and_other_names_are_refused(self) -> None:
        posted = self.page("/", "POST")
        self.assertEqual((posted.status, posted.headers["Allow"]), (405, "GET, HEAD"))
        self.assertEqual(self.page("/", Host="evil.example").status, 421)


class PackTest(unittest.TestCase):
    def pack(self, dist: Path, out: Path) -> str:
        subprocess.run([sys.executable, ROOT / "tools/pack_web.py", dist, out, "fp::app::web_pack"], check=True)
        return out.read_text(encoding="utf-8")

    def test_a_pack_follows_the_folder_and_is_left_alone_when_nothing_changed(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            dist, out = Path(folder) / "dist", Path(folder) / "pack.cpp"
            self.assertNotIn("kFiles", self.pack(dist, out))
            dist.mkdir()
            (dist / "index.html").write_text("<script>1</script><script src='/a.js'></script>")
            (dist / "lone.gz").write_bytes(b"1")
            with_page = self.pack(dist, out)
            self.assertIn('"/index.html"', with_page)
            self.assertIn('"/lone.gz", "application/octet-stream"', with_page)
            self.assertEqual(with_page.count("sha256-"), 1)
            before = out.stat().st_mtime_ns
            self.assertEqual(self.pack(dist, out), with_page)
            self.assertEqual(out.stat().st_mtime_ns, before)
            (dist / "index.html").write_text("other")
            self.assertNotEqual(self.pack(dist, out), with_page)


if __name__ == "__main__":
    unittest.main(verbosity=1)
