"""What containers of the chart run in a shell, run here as the chart has it, beside a real Redis and a real PostgreSQL. Skipped, loudly, where these
are not installed; THUMBS_TEST_REQUIRE_SERVERS=1 makes that a failure."""

import glob
import os
import pathlib
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
import unittest

import rendering
from manifest import ROOT
from rendering import named, objects

PASSWORD = "letters4nd1gits"


def program(name, *folders):
    """Where it is; the test is skipped where it is not."""
    found = shutil.which(name, path=os.pathsep.join([os.environ["PATH"], *folders]))
    if not found:
        if os.environ.get("THUMBS_TEST_REQUIRE_SERVERS") == "1":
            raise AssertionError(f"{name} is not installed (scripts/install-test-servers)")
        raise unittest.SkipTest(f"{name} is not installed (scripts/install-test-servers)")
    return found


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def until(condition, what, seconds=30):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"{what} did not happen within {seconds} s")
        time.sleep(0.05)


def script_of(kind, name, container=None):
    document = named(objects("everything", "spinkube"), kind, name)
    ((_, pod),) = rendering.pod_specs([document])
    (found,) = [c for c in rendering.containers(pod) if container in (None, c["name"])]
    return found["args"][0]


class Shells(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)

    def start(self, *command, **environment):
        process = subprocess.Popen(command, env={"PATH": os.environ["PATH"], **environment}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(process.wait)
        self.addCleanup(process.terminate)
        return process


class Redis(Shells):
    def test_the_server_wants_its_password_and_the_tick_wakes_by_it(self):
        program("redis-server"), program("redis-cli")
        port = free_port()
        server = script_of("StatefulSet", "thumbs-redis").replace("/tmp", str(self.folder)).replace('save ""', f'save ""\nport {port}')
        self.start("sh", "-c", server, REDIS_PASSWORD=PASSWORD)

        def ask(*words, user=f"default:{PASSWORD}@"):
            command = ["redis-cli", "-u", f"redis://{user}127.0.0.1:{port}", "--no-auth-warning", *words]
            return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()

        until(lambda: ask("ping") == "PONG", "a Redis")
        self.assertIn("NOAUTH", ask("ping", user=""))
        tick = script_of("Deployment", "thumbs-tick").replace("/tmp", str(self.folder))
        # As the Secret has it: a password, and no user.
        self.start("sh", "-c", tick, REDIS_URL=f"redis://:{PASSWORD}@127.0.0.1:{port}", CHANNEL="thumbs-wake")
        until((self.folder / "ticked").exists, "a tick")
        self.assertIn("cmdstat_publish", ask("info", "commandstats"))


class PostgreSQL(Shells):
    """One server; each test has a database of its own."""

    @classmethod
    def setUpClass(cls):
        folders = glob.glob("/usr/lib/postgresql/*/bin")
        initdb, postgres = program("initdb", *folders), program("postgres", *folders)
        path = os.environ["PATH"]
        cls.addClassCleanup(os.environ.__setitem__, "PATH", path)
        os.environ["PATH"] = os.pathsep.join([str(pathlib.Path(initdb).parent), path])
        home = pathlib.Path(tempfile.mkdtemp())
        cls.addClassCleanup(shutil.rmtree, home)
        user = []
        if os.getuid() == 0:
            # PostgreSQL does not run as root.
            nobody = pwd.getpwnam("nobody")
            user = ["setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups"]
            os.chown(home, nobody.pw_uid, nobody.pw_gid)
        subprocess.run([*user, initdb, "-D", home / "data", "-U", "thumbs", "-A", "trust", "-N"], check=True, capture_output=True, cwd="/")
        port = free_port()
        command = [*user, postgres, "-D", home / "data", "-p", str(port), "-h", "127.0.0.1", "-k", "", "-F"]
        server = subprocess.Popen(command, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        cls.addClassCleanup(server.wait)
        cls.addClassCleanup(server.terminate)
        cls.server = f"postgres://thumbs:{PASSWORD}@127.0.0.1:{port}"
        until(lambda: cls.ask(f"{cls.server}/postgres", "SELECT 1", check=False) == "1", "a PostgreSQL")

    @staticmethod
    def ask(url, statements, check=True):
        command = ["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", url, "-c", statements]
        return subprocess.run(command, check=check, capture_output=True, text=True).stdout.strip()

    def setUp(self):
        super().setUp()
        self.ask(f"{self.server}/postgres", f"CREATE DATABASE {self._testMethodName[:60]}")
        self.url = f"{self.server}/{self._testMethodName[:60]}?sslmode=disable"
        self.sql("CREATE TABLE thumbs_schema (version BIGINT PRIMARY KEY)")
        for path in sorted((ROOT / "crates/guest/src/sql/migrations").glob("*.postgres.sql")):
            self.sql(path.read_text())

    def sql(self, statements):
        return self.ask(self.url, statements)

    def job(self, id, status, days_old):
        due = "0" if status == "processing" else "NULL"
        self.sql(
            "INSERT INTO thumbs_jobs (id, status, options, source, attempts, due_at_ms, created_at_ms, updated_at_ms, correlation_id) "
            f"SELECT '{id}', '{status}', '', '', 0, {due}, at, at, '' FROM (SELECT (EXTRACT(EPOCH FROM now()) - 86400.0 * {days_old}) * 1000 AS at) t"
        )

    def run_script(self, name, **environment):
        script = script_of("CronJob", f"thumbs-{name}", "rows").replace("/backup", str(self.folder / "backup"))
        environment = {"PATH": os.environ["PATH"], "DATABASE_URL": self.url, **environment}
        return subprocess.run(["sh", "-ec", script], env=environment, capture_output=True, text=True, check=False)

    def ids(self):
        return self.sql("SELECT id FROM thumbs_jobs ORDER BY id").split()

    def test_a_dump_is_restored_and_replaces_what_was_made_since(self):
        self.job("a", "succeeded", 1)
        done = self.run_script("backup", KEEP_DAYS="14")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.sql("DELETE FROM thumbs_jobs")
        self.job("b", "succeeded", 0)
        done = self.run_script("restore", DUMP="latest")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.ids(), ["a"])
        self.assertIn("succeeded|1", done.stdout)

    def test_a_dump_that_is_not_there_changes_nothing(self):
        self.job("a", "succeeded", 1)
        self.run_script("backup", KEEP_DAYS="14")
        done = self.run_script("restore", DUMP="20200101T000000Z")
        self.assertEqual(done.returncode, 1)
        self.assertIn("there is no", done.stdout)
        self.assertEqual(self.ids(), ["a"])

    def test_dumps_are_kept_for_their_days(self):
        self.run_script("backup", KEEP_DAYS="14")
        (old,) = (self.folder / "backup/rows").glob("*.dump")
        long_ago = time.time() - 16 * 86400
        os.utime(old, (long_ago, long_ago))
        older = old.rename(old.with_name("20200101T000000Z.dump"))
        self.run_script("backup", KEEP_DAYS="14")
        self.assertFalse(older.exists())
        self.assertEqual(len(list((self.folder / "backup/rows").glob("*.dump"))), 1)

    def test_workers_are_wanted_for_what_waits_and_for_what_is_worked_on(self):
        (trigger,) = named(objects("everything", "spinkube"), "ScaledObject", "thumbs-worker")["spec"]["triggers"]
        for id, status in (("waits", "processing"), ("worked", "processing"), ("pauses", "processing"), ("done", "succeeded")):
            self.job(id, status, 0)
        later = "(EXTRACT(EPOCH FROM now()) + 60) * 1000"
        self.sql(f"UPDATE thumbs_jobs SET due_at_ms = {later}, lease_token = 'w' WHERE id = 'worked'")
        self.sql(f"UPDATE thumbs_jobs SET due_at_ms = {later} WHERE id = 'pauses'")
        self.assertEqual(self.sql(trigger["metadata"]["query"]), "2")


class Images(Shells):
    """The bucket is a folder here: what rclone is told is the same."""

    def setUp(self):
        super().setUp()
        program("rclone")
        self.bucket, self.backup = self.folder / "bucket", self.folder / "backup"
        self.put(self.backup / "rows/20260801T030000Z.dump")

    @staticmethod
    def put(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(path.name)

    def run_script(self, name, **environment):
        script = script_of("CronJob", f"thumbs-{name}", "images").replace("/backup", str(self.backup))
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "OBJECTS": str(self.bucket), **environment}
        done = subprocess.run(["sh", "-ec", script], env=environment, capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)

    def gone(self):
        return sorted(path.name for path in (self.backup / "gone").glob("*"))

    def test_a_copy_outlasts_its_original_for_as_long_as_a_dump_may_name_it(self):
        self.put(self.bucket / "uploads/a")
        self.put(self.bucket / "uploads/b")
        self.run_script("backup", KEEP_DAYS="14")
        (self.bucket / "uploads/a").unlink()
        self.run_script("backup", KEEP_DAYS="14")
        self.assertFalse((self.backup / "images/uploads/a").exists())
        self.assertTrue((self.backup / "images/uploads/b").exists())
        (moment,) = self.gone()
        self.assertTrue((self.backup / "gone" / moment / "uploads/a").exists())
        for days, stays in ((15, True), (17, False)):
            name = time.strftime("%Y%m%d%H%M%S", time.gmtime(time.time() - days * 86400))
            self.put(self.backup / "gone" / name / "uploads/old")
            self.run_script("backup", KEEP_DAYS="14")
            self.assertEqual(name in self.gone(), stays, f"deleted {days} days ago")

    def test_images_that_were_deleted_after_the_dump_are_put_back(self):
        self.put(self.backup / "images/uploads/a")
        self.put(self.backup / "gone/20260731030010/uploads/before")
        self.put(self.backup / "gone/20260801030010/uploads/after")
        self.bucket.mkdir()
        for dump, found in (("latest", ["a", "after"]), ("20260730T030000Z", ["a", "after", "before"])):
            self.run_script("restore", DUMP=dump)
            self.assertEqual(sorted(path.name for path in self.bucket.glob("uploads/*")), found)


if __name__ == "__main__":
    unittest.main()
