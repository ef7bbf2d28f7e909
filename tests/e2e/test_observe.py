"""The files of scripts/observe, with Debian's Prometheus."""

import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
import unittest
import urllib.parse

from harness import seconds, wait_for
from test_http import NAMESPACES, HttpCase
from web import fetch, tool

OBSERVE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "scripts", "observe")


def need(name):
    found = tool(name)
    if found is None:
        raise unittest.SkipTest(f"there is no {name} (Debian's prometheus)")
    return found


def expressions():
    with open(os.path.join(OBSERVE, "grafana.json"), encoding="utf-8") as file:
        dashboard = json.load(file)
    return [(panel["title"], target["expr"]) for panel in dashboard["panels"]
            for target in panel["targets"]]


class Files(unittest.TestCase):
    def promtool(self, *arguments):
        done = subprocess.run([need("promtool"), *arguments], cwd=OBSERVE, capture_output=True,
                              text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_they_are_sound(self):
        self.promtool("check", "rules", "rules.yml")
        self.promtool("check", "config", "prometheus.yml")

    def test_alerts_come_when_they_should(self):
        self.promtool("test", "rules", "rules_test.yml")

    def test_the_dashboard_asks_for_its_data_source(self):
        with open(os.path.join(OBSERVE, "grafana.json"), encoding="utf-8") as file:
            dashboard = json.load(file)
        self.assertEqual([one["name"] for one in dashboard["templating"]["list"]],
                         ["datasource", "instance"])
        for panel in dashboard["panels"]:
            for part in (panel, *panel["targets"]):
                self.assertEqual(part["datasource"]["uid"], "${datasource}", panel["title"])
            for target in panel["targets"]:
                self.assertIn('instance=~"$instance"', target["expr"])


class Scraped(HttpCase):
    def prometheus(self):
        program = need("prometheus")
        folder = tempfile.mkdtemp(prefix="kvcached-e2e-prometheus-")
        self.addCleanup(shutil.rmtree, folder, True)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        with open(os.path.join(folder, "prometheus.yml"), "w", encoding="utf-8") as file:
            file.write("global: { scrape_interval: 1s }\n"
                       "scrape_configs: [{ job_name: kvcached, static_configs: "
                       f"[{{ targets: ['{self.http[0]}:{self.http[1]}'] }}] }}]\n")
        with open(os.path.join(folder, "log"), "wb") as log:
            process = subprocess.Popen(
                [program, f"--config.file={folder}/prometheus.yml",
                 f"--storage.tsdb.path={folder}/data", f"--web.listen-address=127.0.0.1:{port}"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=folder)
        self.addCleanup(process.wait)
        self.addCleanup(process.terminate)
        self.server = ("127.0.0.1", port)

    def query(self, expression):
        """[(labels, value)], or None while Prometheus cannot answer."""
        try:
            answer = fetch(self.server, "/api/v1/query?" +
                           urllib.parse.urlencode({"query": expression}))
        except OSError:
            return None
        if answer.status == 503:
            return None
        told = json.loads(answer.body)
        self.assertEqual(told["status"], "success", (expression, told))
        return [(one["metric"], float(one["value"][1])) for one in told["data"]["result"]]

    def wait_for_series(self, expression):
        deadline = time.monotonic() + seconds(40)
        while not (found := self.query(expression)):
            self.assertLess(time.monotonic(), deadline, f"never a series: {expression}")
            time.sleep(0.1)
        return found

    def test_figures_arrive_and_every_panel_shows_something(self):
        daemon = self.serve(NAMESPACES + 'metrics = { latency = true; };')
        self.prometheus()
        client = self.connect(daemon)
        for i in range(50):
            client.put("sessions", f"k{i}", "value")
            client.get("sessions", f"k{i}")
            client.get("pages", "nothing")
        self.assertEqual(self.wait_for_series('up{job="kvcached"}')[0][1], 1)
        hits = 'kvcached_commands_total{command="get",status="hit"}'
        self.wait_for_series(hits + " == 50")
        for name, stat in ((hits, "get_hits"), ("kvcached_records", "curr_items"),
                           ("kvcached_record_bytes", "bytes"),
                           ("kvcached_memory_limit_bytes", "limit_maxbytes"),
                           ("kvcached_connections", "curr_connections")):
            self.assertEqual(self.query(name)[0][1], client.stat(stat), name)
        for title, expression in expressions():
            with self.subTest(title=title, expression=expression):
                asked = expression.replace("$instance", ".*").replace("$__rate_interval", "30s")
                client.get("sessions", "k1")
                self.wait_for_series(asked)


class Timed(HttpCase):
    def test_turns_are_timed_where_that_is_set(self):
        count = "kvcached_turn_duration_seconds_count"
        daemon = self.serve(NAMESPACES)
        client = self.connect(daemon)
        client.put("sessions", "k", "v")
        self.assertNotIn(count, self.samples())
        daemon.configure(NAMESPACES + "metrics = { latency = true; };")
        daemon.reload(r"reloaded")
        before = self.samples()
        self.assertIn(count, before)
        for _ in range(100):
            client.get("sessions", "k")
        wait_for(lambda: self.samples()[count] - before[count] == 100, what="100 turns")
        after = self.samples()
        self.assertEqual(after['kvcached_turn_duration_seconds_bucket{le="+Inf"}'], after[count])
        self.assertGreater(after["kvcached_turn_duration_seconds_sum"],
                           before["kvcached_turn_duration_seconds_sum"])
        daemon.configure(NAMESPACES)
        daemon.reload(r"reloaded")
        self.assertNotIn(count, self.samples())


if __name__ == "__main__":
    unittest.main()
