"""The live page in Chromium. PICTURES names a directory for pictures of it."""

import os
import threading
import unittest

from browser import Browser
from harness import DAEMON
from test_http import NAMESPACES, HttpCase
from test_users import WEB, users

CELLS = "Object.fromEntries([...document.querySelectorAll('#rows tr')].map(" \
        "row => [row.children[0].textContent, [...row.children].map(c => c.textContent)]))"


class Page(HttpCase):
    def browse(self, **options):
        browser = self.kept(Browser())
        self.url = "http://%s:%d/" % self.http
        browser.open(self.url, **options)
        return browser

    def check(self, browser):
        """No message on the console, and no request to another host."""
        self.assertEqual(browser.console, [])
        self.assertGreater(len(browser.requests), 0)
        for request in browser.requests:
            self.assertTrue(request.startswith(self.url), request)

    def picture(self, browser, name):
        folder = os.environ.get("PICTURES")
        if folder:
            os.makedirs(folder, exist_ok=True)
            browser.picture(os.path.join(folder, name + ".png"))

    def write_and_read(self, daemon, stop):
        client = self.connect(daemon)

        def work():
            number = 0
            while not stop.wait(0.02):
                for ns in ("sessions", "pages"):
                    for _ in range(40):
                        number += 1
                        client.put(ns, f"k{number}", "x" * 2000)
                        client.get(ns, f"k{number if number % 4 else 0}")
        thread = threading.Thread(target=work)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(stop.set)

    def test_live_figures(self):
        daemon = self.serve(NAMESPACES)
        stop = threading.Event()
        self.write_and_read(daemon, stop)
        browser = self.browse()
        browser.wait("document.querySelector('#state').textContent === 'ready'")
        browser.wait("parseFloat(document.querySelector('.tile dd').textContent) > 10")
        rows = browser.wait(f"(() => {{ const rows = {CELLS}; "
                            "return rows.sessions && rows.sessions[4] !== '–' && rows; })()")
        self.assertEqual(sorted(rows), ["(others)", "pages", "sessions"])
        self.assertIn("/ 1 MiB", rows["sessions"][2])
        self.assertEqual(rows["sessions"][3], "30 min")
        self.assertEqual(rows["pages"][3], "never")
        self.assertIn("records are evicted before their time",
                      browser.wait("document.querySelector('#warnings').textContent"))
        self.assertIn("sessions is full", browser.ask("document.querySelector('#warnings').textContent"))
        browser.wait("document.querySelector('polyline').getAttribute('points').split(' ').length > 2")
        self.picture(browser, "three-1250")
        self.check(browser)

    def test_latency_is_there_when_it_is_measured(self):
        tile = "[...document.querySelectorAll('.tile')].find(t => " \
               "t.querySelector('dt').textContent === 'median latency')"
        daemon = self.serve(NAMESPACES)
        browser = self.browse()
        browser.wait("document.querySelector('#state').textContent === 'ready'")
        self.assertTrue(browser.ask(f"{tile}.hidden"))
        daemon.configure(NAMESPACES + "metrics = { latency = true; };")
        daemon.reload(r"reloaded")
        self.write_and_read(daemon, threading.Event())
        browser.wait(f"!{tile}.hidden && /s$/.test({tile}.querySelector('dd').textContent)")
        self.check(browser)

    def test_tooltips_are_the_help_of_metrics(self):
        self.serve(NAMESPACES)
        browser = self.browse()
        browser.wait("!!document.querySelector('#rows tr')")
        self.assertIn("# HELP kvcached_records " + browser.ask(
            "[...document.querySelectorAll('.tile')].find("
            "t => t.querySelector('dt').textContent === 'records').title") + "\n",
            self.fetch("/metrics").body)
        self.check(browser)

    def test_sorting_and_the_filter(self):
        daemon = self.serve(NAMESPACES)
        client = self.connect(daemon)
        for i in range(3):
            client.put("pages", f"k{i}", "v")
        client.put("sessions", "k", "v")
        browser = self.browse(width=400, dark=True)
        names = "[...document.querySelectorAll('#rows th')].map(c => c.textContent).join()"
        browser.wait(f"{names} === 'pages,sessions,(others)'")
        browser.ask("document.querySelectorAll('#columns button')[1].click()")
        self.assertEqual(browser.ask(names), "(others),sessions,pages")
        self.assertEqual(browser.ask("document.querySelectorAll('#columns th')[1].ariaSort"),
                         "ascending")
        browser.ask("(f => { f.value = 'ses'; f.dispatchEvent(new Event('input')); })"
                    "(document.querySelector('#filter'))")
        self.assertEqual(browser.ask(names), "sessions")
        self.assertLessEqual(browser.ask("document.documentElement.scrollWidth"), 400)
        self.picture(browser, "filtered-400-dark")
        self.check(browser)

    def test_nothing_is_there_yet(self):
        self.serve()
        browser = self.browse()
        browser.wait("document.querySelector('#state').textContent === 'ready'")
        self.picture(browser, "empty-1250")
        self.check(browser)

    def test_a_thousand_namespaces(self):
        daemon = self.serve()
        client = self.connect(daemon)
        sent = "".join(f"PUT n{i} k 1h 1\r\nx\r\n" for i in range(1000))
        client.pipelined(sent, 1000)
        browser = self.browse()
        browser.wait("!!document.querySelector('#rows tr')")
        browser.ask("document.querySelector('#all').click()")
        browser.wait("document.querySelectorAll('#rows tr').length === 100")
        self.picture(browser, "thousand-1250")
        browser.ask("document.querySelector('#more').click()")
        browser.wait("document.querySelectorAll('#rows tr').length === 1000")
        self.check(browser)

    def test_nothing_is_markup(self):
        """Names of namespaces are inserted as text, never as HTML."""
        with open(os.path.join(os.path.dirname(__file__), "..", "..", "daemon", "http",
                               "page.html"), encoding="utf-8") as file:
            page = file.read().replace("http://www.w3.org/2000/svg", "")
        for word in ("innerHTML", "outerHTML", "insertAdjacent", "document.write", "eval(",
                     "http://", "https://", "style="):
            self.assertNotIn(word, page)

    def test_a_daemon_that_goes(self):
        daemon = self.serve()
        browser = self.browse()
        browser.wait("document.querySelector('#state').textContent === 'ready'")
        daemon.stop()
        browser.wait("document.querySelector('#state').textContent === 'no answer'")

    def test_a_page_that_may_not_see_figures(self):
        self.serve(users(WEB), 'open = "all";')
        browser = self.browse()
        browser.wait("document.querySelector('#state').textContent === 'ready'")
        self.check(browser)


if __name__ == "__main__":
    assert DAEMON
    unittest.main()
