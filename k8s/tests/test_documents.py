"""The pages for who runs it: commands and variables are the application's, links lead somewhere."""

import re
import unittest

import manifest
from manifest import ROOT
from test_pods import FLAGS

SPIN = (ROOT / "docs/SPIN.md").read_text()
PAGES = [ROOT / "README.md", *(ROOT / "docs").glob("*.md"), *(ROOT / "k8s").glob("**/*.md"), ROOT / "deploy/README.md"]


class Spin(unittest.TestCase):
    def test_every_variable_is_the_applications(self):
        named = {name.lower() for name in re.findall(r"SPIN_VARIABLE_([A-Z0-9_]+)", SPIN)}
        self.assertEqual(named - set(manifest.VARIABLES), set())

    def test_each_address_comes_with_its_grant(self):
        blocks = [block for block in re.findall(r"```sh\n(.*?)```", SPIN, re.DOTALL) if "SPIN_VARIABLE_" in block]
        self.assertEqual(len(blocks), 5)
        for block in blocks:
            set_here = dict(re.findall(r"SPIN_VARIABLE_([A-Z0-9_]+)='([^']*)'", block))
            for name, url in set_here.items():
                if name in ("REDIS_URL", "DATABASE_URL"):
                    scheme, rest = url.split("://")
                    address = rest.split("@")[-1].split("/")[0]
                    self.assertEqual(set_here[name.replace("_URL", "_OUTBOUND")], f"{scheme}://{address}")
                if name == "BLOB_URL":
                    self.assertIn("BLOB_OUTBOUND", set_here)
                if name == "CALLBACK_HOSTS":
                    self.assertEqual(set_here["CALLBACK_OUTBOUND"], f"https://{url}:443")

    def test_the_processes_have_the_components_of_the_manifest(self):
        lists = [re.findall(r"-c ([a-z-]+)", line) for line in SPIN.splitlines() if line.startswith("spin up")]
        for components in lists:
            self.assertIn(components, list(manifest.COMPONENTS.values()), "run `make check-deploy BLESS=1`")
        self.assertEqual(len(lists), 4)


class Environment(unittest.TestCase):
    def test_every_option_of_thumbs_is_listed(self):
        page = (ROOT / "docs/ENVIRONMENT.md").read_text()
        named = set(re.findall(r"THUMBS_[A-Z0-9_]+", page))
        # Those that stand for a variable of the application; the role has none.
        of_s3 = {flag for flag in FLAGS if flag.startswith("THUMBS_S3_")} - {"THUMBS_S3_ROLE"}
        self.assertEqual(len(of_s3), 6, "the page says five more")
        self.assertEqual(FLAGS - of_s3 - named, set())


class Commands(unittest.TestCase):
    def test_tags_are_given_as_text(self):
        # The schema refuses a number: 1.10 would be 1.1.
        for page in PAGES:
            with self.subTest(page=page.name):
                self.assertNotRegex(page.read_text(), r"--set [^\s]*\btag=")


class Links(unittest.TestCase):
    def test_lead_to_files_and_headings(self):
        for page in PAGES:
            for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
                if target.startswith(("http://", "https://", "mailto:")):
                    continue
                path, _, heading = target.partition("#")
                file = (page.parent / path).resolve() if path else page
                with self.subTest(page=page.name, target=target):
                    self.assertTrue(file.exists())
                    if heading and file.suffix == ".md":
                        headings = re.findall(r"^#+ (.*)$", file.read_text(), re.MULTILINE)
                        slugs = {re.sub(r"[^\w -]", "", text.lower()).replace(" ", "-") for text in headings}
                        self.assertIn(heading, slugs)


if __name__ == "__main__":
    unittest.main()
