"""Secrets that change at reloads of the second daemon, and clients that go on with the old ones.

Each site is an address and a user whose secret changes; the sites take turns. The failures of an
address are forgotten after a minute without one. The first look at each old secret after a change
is one; a client that waits for the answer to another may say it half a minute after the change. So
no site's secret changes sooner than both together: then few failures delay a right secret.
"""

import os
import select
import signal
import time

from harness import wait_for
from soak_actor import Actor, From, login
from soak_model import Wrong

REST = 105.0  # seconds between two changes of one site's secret
APPLIED_MOST = 5.0  # seconds from SIGHUP to what it changes
OLD_CLIENTS = 2  # at each site
DENIED = "DENIED"


class Site:
    """An address with a user, and connections that know the old secret."""

    def __init__(self, number, actor):
        self.number = number
        self.actor = actor
        self.source = f"127.0.2.{number + 1}"
        self.name = f"site{number}"
        self.generation = 0
        self.old = [None] * OLD_CLIENTS
        self.held = None

    def secret(self, back=0):
        return self.actor.daemon.secret_of(self.number, max(self.generation - back, 0))

    def enter(self, excused=0):
        """With the secret that is right now; the one before is left."""
        client = login(self.actor, (self.name, self.secret()), self.source, excused=excused)
        if self.held:
            self.held.close()
        self.held = client
        if client.ask("GET varied none") != "NOT_FOUND":
            raise Wrong(f"{self.name} came in and may not read")

    def try_old(self):
        """Each asks again when it was denied; some begin anew, with the answer outstanding."""
        for place in range(OLD_CLIENTS if self.generation > 0 else 0):
            self.old[place] = self.one_old(place, self.old[place])

    def one_old(self, place, client):
        try:
            if client is None:
                client = From(self.actor.daemon.address, self.source)
                self.say_old(client, place)
            elif select.select([client.socket], [], [], 0)[0]:
                answer = client.reply()
                if answer not in (DENIED, "SERVER_ERROR too many connections"):
                    raise Wrong(f"an old secret of {self.name} was answered with {answer}")
                self.actor.count("old secrets denied", int(answer == DENIED))
                self.say_old(client, place)
            elif self.actor.chance.random() < 0.02:
                client.close()
                return None
        except (EOFError, OSError):
            if client:
                client.close()
            return None
        return client

    def say_old(self, client, place):
        back = min(1 + place % 2, self.generation)
        client.send(f"AUTH {self.name} {self.secret(back)}\r\n")
        self.actor.count("old secrets tried")

    def close(self):
        for client in [self.held, *self.old]:
            if client:
                client.close()


class Secrets(Actor):
    """Reloads the second daemon, and looks at what each reload changes."""

    PERIOD = 0.25
    SHARE = 0.25

    def begin(self):
        self.sites = [Site(number, self) for number in range(self.daemon.SITES)]
        self.hashes = list(self.daemon.hashes)
        self.control = login(self, self.daemon.steady_user)
        self.ttl = "1h"
        now = time.monotonic()
        self.change_at = [now + 4 + REST * site.number / len(self.sites) for site in self.sites]
        self.reload_at = now + 1
        for site in self.sites:
            site.enter()

    def turn(self):
        now = time.monotonic()
        for site in self.sites:
            if now > self.change_at[site.number]:
                self.change(site)
                self.change_at[site.number] = time.monotonic() + REST
                return
        if now > self.reload_at:
            self.reload_at = now + 2
            self.reload()
        site = self.chance.choice(self.sites)
        site.enter()
        for site in self.sites:
            site.try_old()

    def end(self):
        for site in self.sites:
            site.close()

    # --- reloads ---

    def reload(self):
        """Another ttl, another level of the log, or a file that is refused."""
        if self.chance.random() < 0.15:
            self.daemon.write_conf(self.daemon.listen + "nonsense = 1;\n")
            os.kill(self.daemon.pid, signal.SIGHUP)
            self.count("reloads of a wrong file")
            return
        self.ttl = self.chance.choice([ttl for ttl in self.TTLS if ttl != self.ttl])
        self.hang_up()
        self.wait_ttl()

    TTLS = {"1h": "3600.000", "2h": "7200.000", "90s": "90.000"}

    def hang_up(self):
        level = "debug" if self.chance.random() < 0.9 else "info"
        self.daemon.configure(self.daemon.conf_of(self.hashes, self.ttl, level))
        os.kill(self.daemon.pid, signal.SIGHUP)
        self.count("reloads")
        self.count("of those while the log stood still", int(self.told.board.stalled))

    def wait_ttl(self):
        started = time.monotonic()
        wait_for(lambda: self.control.stats("varied")["ttl"] == self.TTLS[self.ttl], APPLIED_MOST,
                 f"a reload to take effect: a ttl of {self.ttl}")
        self.took("reload", started, APPLIED_MOST)

    # --- changes ---

    def change(self, site):
        """What was proved with the old secret holds no more from the reload on."""
        site.enter()
        self.hashes[site.number] = self.daemon.hashed(site.secret(back=-1))
        self.ttl = self.chance.choice([ttl for ttl in self.TTLS if ttl != self.ttl])
        started = time.monotonic()
        self.hang_up()
        wait_for(lambda: site.held.ask("GET varied none") != "NOT_FOUND", APPLIED_MOST,
                 "a connection to lose the rights of an old secret")
        self.took("loss of rights", started, APPLIED_MOST)
        answer = site.held.ask("GET varied none")
        if not answer.startswith("CLIENT_ERROR authenticate first"):
            raise Wrong(f"with an old secret GET was answered with {answer}")
        self.wait_ttl()
        site.generation += 1
        self.count("secrets changed")
        site.enter(excused=1)  # another worker than those that were asked may still be about it
