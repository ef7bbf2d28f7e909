"""Perl's clients do their work: Cache::Memcached, Cache::Memcached::Fast, Memcached::libmemcached."""

import unittest

from client_case import MANY, ClientCase, succeeds

HEAD = r"""
use strict; use warnings;
sub must { my ($what, $is) = @_; die "$what\n" unless $is; }
my $server = $ARGV[0];
my @keys = map { sprintf("%%030d", $_) } 1 .. %d;
""" % MANY


def has_module(name):
    return succeeds("perl", f"-M{name}", "-e", "1")


class PerlCase(ClientCase):
    def perl(self, script, daemon):
        self.assertEqual(self.program(["perl", "-"], HEAD + script + '\nprint "done";',
                                      daemon.server), "done")


@unittest.skipUnless(has_module("Cache::Memcached"), "Debian: libcache-memcached-perl")
class CacheMemcached(PerlCase):
    NEW = r"""
        use Cache::Memcached;
        my $m = Cache::Memcached->new({ servers => [ $server ], compress_threshold => 1000 });
    """

    def test_everything_it_does(self):
        self.perl(self.NEW + r"""
            must("set", $m->set("a", { user => "alice", list => [1, 2, 3] }, 100));
            must("get", $m->get("a")->{list}[2] == 3);
            must("add", !$m->add("a", 1));
            must("replace", $m->replace("a", "text"));
            must("append", $m->append("a", "!") && $m->prepend("a", "?") && $m->get("a") eq "?text!");
            must("large", $m->set("large", "abc" x 50000) && $m->get("large") eq "abc" x 50000);
            must("incr", $m->set("n", 5) && $m->incr("n", 2) == 7 && $m->decr("n") == 6);
            $m->set("k$_", $_) for 1 .. 50;
            my $all = $m->get_multi(map { "k$_" } 1 .. 60);
            must("multi", keys %$all == 50 && $all->{k50} == 50);
            must("delete", $m->delete("a") && !defined $m->get("a"));
            must("delete with a time", $m->set("a", 1) && $m->delete("a", 0) && !defined $m->get("a"));
            must("stats", $m->stats(["misc"])->{hosts}{$server}{misc}{curr_items} > 50);
            must("others", $m->stats(["malloc", "sizes", "self"]) && $m->get("k1") == 1);
            must("items", $m->stats(["items", "slabs"]) && $m->get("k1") == 1);
            must("flush", $m->flush_all && !defined $m->get("k1"));
        """, self.node())

    def test_thousands_of_keys_at_once(self):
        self.perl(self.NEW + r"""
            must("set", $m->set($_, $_)) for @keys;
            my $all = $m->get_multi(@keys);
            must("multi", keys %$all == @keys && $all->{$keys[7]} eq $keys[7]);
            must("after", $m->get($keys[2999]) eq $keys[2999]);
        """, self.node())

    def test_what_is_refused_is_one_reply(self):
        self.perl(self.NEW + r"""
            $m->set("k$_", $_) for 1 .. 50;
            $m->set_compress_threshold(100_000_000);
            for (1 .. 20) {
                must("large", !$m->set("large", "v" x 2_000_000));
                must("after", $m->get("k$_") == $_);
            }
        """, self.node('memory = "64M";'))


@unittest.skipUnless(has_module("Cache::Memcached::Fast"), "Debian: libcache-memcached-fast-perl")
class CacheMemcachedFast(PerlCase):
    NEW = r"""
        use Cache::Memcached::Fast;
        my $m = Cache::Memcached::Fast->new({ servers => [ $server ], max_size => 10_000_000 });
    """

    def test_everything_it_does(self):
        self.perl(self.NEW + r"""
            must("set", $m->set("a", { user => "alice", list => [1, 2, 3] }, 100));
            must("get", $m->get("a")->{list}[2] == 3);
            must("add", !$m->add("a", 1) && $m->replace("a", "text"));
            my $before = $m->gets("a");
            must("cas", $m->cas("a", $before->[0], "new") && !$m->cas("a", $before->[0], "late"));
            must("append", $m->append("a", "!") && $m->prepend("a", "?") && $m->get("a") eq "?new!");
            must("incr", $m->set("n", 5) && $m->incr("n", 2) == 7 && $m->decr("n", 100) == 0);
            must("touch", $m->touch("a", 50) && !$m->touch("nothing", 50));
            must("gat", $m->gat(50, "a") eq "?new!" && $m->gats(50, "a")->[1] eq "?new!");
            must("delete", $m->delete("a") && !defined $m->get("a"));
            must("flush", $m->flush_all && !defined $m->get("n"));
        """, self.node())

    def test_the_version_can_be_read(self):
        """Its own tests skip append and cas with what they take for old servers."""
        self.perl(self.NEW + r"""
            use version;
            my ($said) = values %{$m->server_versions};
            must("version $said", version->parse($said) >= version->parse("1.4.8"));
        """, self.node())

    def test_thousands_of_keys_at_once(self):
        self.perl(self.NEW + r"""
            my $done = $m->set_multi(map { [$_, 5] } @keys);
            must("set", !grep { !$_ } values %$done);
            must("get", keys %{$m->get_multi(@keys)} == @keys);
            must("gets", keys %{$m->gets_multi(@keys)} == @keys);
            must("gat", keys %{$m->gat_multi(50, @keys)} == @keys);
            must("incr", keys %{$m->incr_multi(map { [$_, 1] } @keys)} == @keys);
            must("touch", !grep { !$_ } values %{$m->touch_multi(map { [$_, 5] } @keys)});
            must("delete", !grep { !$_ } values %{$m->delete_multi(@keys)});
            must("none", !keys %{$m->get_multi(@keys)});
        """, self.node())

    def test_nothing_is_said_where_no_reply_is_wanted(self):
        self.perl(r"""
            use Cache::Memcached::Fast;
            my $m = Cache::Memcached::Fast->new({
                max_size => 10_000_000, servers => [ { address => $server, noreply => 1 } ] });
            $m->set("k$_", "v$_") for 1 .. 100;
            my $large = "v" x 2_000_000;
            for (1 .. 20) {
                $m->set("large", $large); $m->add("large", $large); $m->replace("large", $large);
                $m->append("large", $large); $m->prepend("large", $large);
                $m->cas("large", 1, $large);
                $m->delete("nothing"); $m->incr("nothing"); $m->touch("nothing", 5);
                $m->set("text", "text"); $m->incr("text");
                must("get", $m->get("k$_") eq "v$_" && $m->get("k50") eq "v50");
            }
            must("multi", keys %{$m->get_multi(map { "k$_" } 1 .. 100)} == 100);
        """, self.node('memory = "64M";'))

    def test_replies_that_nothing_waits_for(self):
        self.perl(r"""
            use Cache::Memcached::Fast;
            my $m = Cache::Memcached::Fast->new({ servers => [ $server ], nowait => 1 });
            $m->set($_, $_) for @keys;
            $m->delete("nothing"), $m->incr("nothing"), $m->touch("nothing", 5) for 1 .. 20;
            must("get", $m->get($keys[5]) eq $keys[5]);
            $m->delete($_) for @keys[0 .. 9];
            $m->nowait_push;
            must("multi", keys %{$m->get_multi(@keys)} == @keys - 10);
        """, self.node())


@unittest.skipUnless(has_module("Memcached::libmemcached"), "Debian: libmemcached-libmemcached-perl")
class Libmemcached(PerlCase):
    NEW = r"""
        use Memcached::libmemcached;
        my ($host, $port) = split /:/, $server;
        my $m = Memcached::libmemcached->new;
        $m->memcached_server_add($host, $port);
    """

    def test_keys_of_any_bytes(self):
        """As raw digests are; control characters it does not understand itself in an answer."""
        self.perl(self.NEW + r"""
            @keys = ("\xff\xfe", join("", map { chr } 128 .. 255), "\x80" x 16, "\x0b", "\x85", "\xa0");
            for my $key (@keys) {
                must("set", $m->memcached_set($key, "value of $key", 100));
                must("get", $m->memcached_get($key) eq "value of $key");
            }
            my %found;
            must("mget", $m->mget_into_hashref(\@keys, \%found) && keys %found == @keys);
            for my $key (@keys) {
                must("delete", $m->memcached_delete($key, 0) && !defined $m->memcached_get($key));
            }
        """, self.node())

    def test_thousands_of_keys_at_once(self):
        self.perl(self.NEW + r"""
            must("set", $m->memcached_set($_, $_)) for @keys;
            my %found;
            must("mget", $m->mget_into_hashref(\@keys, \%found) && keys %found == @keys);
        """, self.node())
