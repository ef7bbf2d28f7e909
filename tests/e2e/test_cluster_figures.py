"""What is seen of a cluster: STATS, /metrics and the live page, while all is well and while a
master is gone.
"""

import re
import subprocess
import unittest

from browser import Browser
from harness import wait_for
from nodes import WANTED, Nodes, server_program
from test_http import HttpCase
from test_inspect import fields
from web import tool

CONF = 'namespaces = ( { name = "s"; engine = "cluster"; }, { name = "here"; } );\n'
GAUGES = {"cluster_masters": 3, "cluster_masters_ready": 3, "cluster_replicas": 3,
          "cluster_slots": 16384}
SAMPLES = {"masters": "cluster_masters", "replicas": "cluster_replicas", "slots": "cluster_slots",
           "commands_total": "cluster_questions",
           'redirections_total{kind="moved"}': "cluster_moved",
           'redirections_total{kind="ask"}': "cluster_asked",
           "links_broken_total": "cluster_broken",
           "links_overdue_total": "cluster_overdue",
           "replica_reads_total": "cluster_replica_reads",
           'commands_failed_total{outcome="not_done"}': "cluster_not_done",
           'commands_failed_total{outcome="unknown"}': "cluster_unknown"}


class ClusterCase(HttpCase):
    def begin(self, nodes):
        self.daemon = self.serve(CONF + nodes.conf())
        self.client = self.connect(self.daemon)
        wait_for(lambda: self.figures()["cluster_masters_ready"] == 3 ==
                 self.figures()["cluster_replicas"], 20, "the masters and their replicas")

    def figures(self):
        return {name: int(value) for name, value in self.client.stats().items()
                if name.startswith("cluster_")}


@unittest.skipUnless(server_program(), "there is no valkey-server and no redis-server")
class WhileAllIsWell(ClusterCase):
    @classmethod
    def setUpClass(cls):
        cls.nodes = Nodes()
        cls.addClassCleanup(cls.nodes.close)

    def setUp(self):
        self.begin(self.nodes)

    def test_stats(self):
        for i in range(100):
            self.assertEqual(self.client.put("s", f"key{i}", "x"), "STORED")
        figures = self.figures()
        self.assertEqual({name: figures[name] for name in GAUGES}, GAUGES)
        self.assertEqual(figures["cluster_under_way"], 0)
        self.assertGreaterEqual(figures["cluster_questions"], 100)
        self.assertEqual(figures["cluster_not_done"] + figures["cluster_unknown"], 0)

    def test_prometheus_has_nothing_to_say_about_them(self):
        promtool = tool("promtool")
        if promtool is None:
            self.skipTest("there is no promtool (Debian's prometheus)")
        body = self.fetch("/metrics").body
        self.assertEqual(len(re.findall("^# TYPE kvcached_cluster_", body, re.M)), 12)
        done = subprocess.run([promtool, "check", "metrics"], input=body, capture_output=True,
                              text=True, check=False)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))


@unittest.skipUnless(server_program(), "there is no valkey-server and no redis-server")
class WhileAMasterIsGone(ClusterCase):
    def setUp(self):
        self.nodes = Nodes()
        self.addCleanup(self.nodes.close)
        self.begin(self.nodes)

    def test_figures_health_and_slow_requests(self):
        for i in range(100):
            self.assertEqual(self.client.put("s", f"key{i}", "x"), "STORED")
        before = self.figures()
        self.nodes.masters()[0].kill()
        refused = [i for i in range(100) if self.client.put("s", f"key{i}", "y") != "STORED"]
        found, after = self.samples(), self.figures()
        # Each refusal is one command that failed.
        self.assertGreater(len(refused), 0)
        self.assertEqual(after["cluster_not_done"] + after["cluster_unknown"], len(refused))
        self.assertGreater(after["cluster_broken"], before["cluster_broken"])
        for sample, name in SAMPLES.items():
            self.assertEqual(found["kvcached_cluster_" + sample], after[name], name)
        for path in ("/readyz", "/healthz"):
            self.assertEqual(self.status(path), 200, path)
        # The first of them has waited for cluster.patience.
        slow = [fields(line) for line in self.client.ask_all("SLOW")]
        self.assertIn(("PUT", "s"), [(line["verb"], line["ns"]) for line in slow])
        wait_for(lambda: self.client.put("s", f"key{refused[0]}", "z") == "STORED" and
                 self.figures()["cluster_masters_ready"] == 3, 30, "a replica to take over")
        self.assertEqual(self.figures()["cluster_masters"], 3)

    def test_the_page_says_so(self):
        browser = self.kept(Browser())
        browser.open("http://%s:%d/" % self.http)
        tile = "[...document.querySelectorAll('.tile')].find(t => " \
               "t.querySelector('dt').textContent === 'masters ready')"
        browser.wait(f"!{tile}.hidden && {tile}.querySelector('dd').textContent === '3 of 3'")
        browser.wait(f"/^0 redirected . s, 0 refused . s$/.test("
                     f"{tile}.querySelectorAll('dd')[1].textContent)")
        self.assertEqual(browser.ask("document.querySelector('#warnings').textContent"), "")
        self.nodes.masters()[0].kill()
        browser.wait(f"{tile}.querySelector('dd').textContent === '2 of 3'")
        self.assertIn("1 of 3 masters of the cluster does not answer",
                      browser.ask("document.querySelector('#warnings').textContent"))
        self.assertEqual(browser.console, [])


@unittest.skipIf(WANTED, "every daemon has a cluster")
class WithoutCluster(HttpCase):
    def test_there_is_nothing_of_it(self):
        daemon = self.serve()
        self.assertNotIn("cluster", self.fetch("/metrics").body)
        self.assertNotIn("cluster", "".join(self.connect(daemon).ask_all("STATS")))
