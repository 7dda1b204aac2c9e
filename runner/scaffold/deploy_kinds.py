"""The kinds of `runner init --deploy`, as data: which files each has, and what a person does when they are written."""

from collections.abc import Mapping

from msgspec import Struct


class DeployKind(Struct, frozen=True, kw_only=True):
    """A kind of files that `--deploy` writes."""

    files: Mapping[str, tuple[str, str]]  # template and title by name; `@LABEL@`: for each target
    to_do: tuple[str, ...]  # lines of what is left to a person
    next: str  # the last of them
    resources: tuple[str, ...] = ()  # what kustomize begins with
    reads_folder: bool = False  # the container has only the folder's files
    confirm: str = (
        "write `--confirm @TARGET@` beside `runner apply` in these files, if you want that: the target is protected"
    )


_CONTAINER = {
    "Dockerfile": ("Dockerfile", "the image of the runner"),
    "Dockerfile.dockerignore": ("dockerignore", "what is not for the image"),
}
_CLUSTER = _CONTAINER | {
    "kustomization.yaml": ("top.yaml", "the jobs, the image, and all below"),
    "kubernetes/kustomization.yaml": ("kubernetes/kustomization.yaml", "what every cluster has"),
    "kubernetes/namespace.yaml": ("kubernetes/namespace.yaml", "the namespace"),
    "kubernetes/network.yaml": ("kubernetes/network.yaml", "who may be called"),
    "kubernetes/nightly.yaml": ("kubernetes/nightly.yaml", "jobs with the tag `nightly`, once a day"),
    "kubernetes/worker-@LABEL@.yaml": ("kubernetes/worker.yaml", "workers for `@TARGET@`"),
}
_SOURCE = "set where the package comes from, your index or git+https://…@v@VERSION@: "
_FIRST_STOPS = (
    "commit and push to `@BRANCH@`: the first {0} stops on purpose; then choose `apply` (a new site: everything runs) "
    "or `adopt` (all of it ran before: it is marked as done without running it)"
)
_IMAGE = "build and push the image: docker build -t @IMAGE@ @FOLDER@ && docker push @IMAGE@"
_INSTALL = f"{_SOURCE}`ARG INSTALL` in @IN@Dockerfile"
_SECRETS = (
    _INSTALL,
    _IMAGE,
    "make the namespace: kubectl apply -f @IN@kubernetes/namespace.yaml",
    (
        "store the database's address: kubectl -n creatio-runner create secret generic @DB_SECRET@ "
        "--from-literal=uri=postgresql://… --from-literal=owner-uri=postgresql://…"
    ),
    ("store the credentials of `@TARGET@`: kubectl -n creatio-runner create secret generic creatio-@LABEL@ @LITERALS@"),
)
_URL = "write the address of your repository into "

DEPLOY_KINDS = {
    "kubernetes": DeployKind(
        files=_CLUSTER | {"kubernetes/apply.yaml": ("kubernetes/apply.yaml", "`runner apply`, when it is started")},
        resources=("kubernetes", "kubernetes/apply.yaml"),
        reads_folder=True,
        to_do=_SECRETS,
        next="kubectl apply -k @FOLDER@ && kubectl -n creatio-runner create job --from=cronjob/creatio-apply apply-1",
    ),
    "argocd": DeployKind(
        files=_CLUSTER
        | {
            "argocd/kustomization.yaml": ("argocd/kustomization.yaml", "the above, with the hooks"),
            "argocd/hooks.yaml": ("argocd/hooks.yaml", "`fleet migrate` before a sync, `apply` after it"),
            "argocd/application.yaml": ("argocd/application.yaml", "the application"),
        },
        resources=("argocd",),
        reads_folder=True,
        to_do=(*_SECRETS, f"{_URL}@IN@argocd/application.yaml"),
        next="kubectl apply -n argocd -f @IN@argocd/application.yaml",
    ),
    "flux": DeployKind(
        files=_CLUSTER
        | {
            "flux/kustomization.yaml": ("flux/kustomization.yaml", "the above, with the Job"),
            "flux/apply.yaml": ("flux/apply.yaml", "`runner apply`, anew after each change"),
            "flux/sync.yaml": ("flux/sync.yaml", "where Flux reads"),
        },
        resources=("flux",),
        reads_folder=True,
        to_do=(*_SECRETS, f"{_URL}@IN@flux/sync.yaml"),
        next="kubectl apply -f @IN@flux/sync.yaml",
    ),
    "github": DeployKind(
        files={
            "github/action.yml": ("github/action.yml", "an action that keeps what was applied"),
            ".github/workflows/creatio-apply.yml": ("github/workflow.yml", "applies what is merged"),
        },
        to_do=(
            f"{_SOURCE}INSTALL in .github/workflows/creatio-apply.yml",
            "look whether `@BRANCH@`, twice in that file, is the branch that pull requests are merged into",
            "store @VARIABLES@ as secrets of the repository",
            _FIRST_STOPS.format("workflow run"),
        ),
        confirm=(
            "write `confirm: @TARGET@` into .github/workflows/creatio-apply.yml, if you want that: the target is "
            "protected"
        ),
        next="gh workflow run creatio-apply.yml -f without-ledger=apply",
    ),
    "gitlab": DeployKind(
        files={"gitlab/creatio.yml": ("gitlab/creatio.yml", "checks merge requests, applies what is merged")},
        to_do=(
            f"{_SOURCE}INSTALL in @IN@gitlab/creatio.yml",
            "store @VARIABLES@ as variables of the project, masked and protected",
            "write into .gitlab-ci.yml: include: [{local: @IN@gitlab/creatio.yml}]",
            _FIRST_STOPS.format("pipeline"),
        ),
        next="glab ci run --variables-env WITHOUT_LEDGER:apply",
    ),
    "azure": DeployKind(
        files={"azure-pipelines.yml": ("azure/azure-pipelines.yml", "checks the jobs, and carries them out")},
        to_do=(
            f"{_SOURCE}INSTALL in @IN@azure-pipelines.yml",
            "make the group of variables `creatio` with @AZURE_VARIABLES@, the secrets locked",
            "look whether `@BRANCH@` is the branch whose pushes carry the jobs out",
        ),
        confirm=(
            "write `--confirm @TARGET@` after `runner run` in @IN@azure-pipelines.yml, if you want that: the target is "
            "protected"
        ),
        next="az pipelines create --name creatio --yml-path @IN@azure-pipelines.yml",
    ),
    "compose": DeployKind(
        files=_CONTAINER
        | {
            "compose.yaml": ("compose/compose.yaml", "a database, workers, and `runner apply`"),
            ".gitignore": ("compose/gitignore", "secrets are not for git"),
        },
        reads_folder=True,
        to_do=(
            _INSTALL,
            "write CREATIO_DB_PASSWORD='…' into @IN@.env; the quotes keep a `$` as it is",
            "write @ASSIGNED@ into @IN@@LABEL@.env",
            "for jobs with the tag `nightly`, let cron start: docker compose -f @IN@compose.yaml run --rm nightly",
        ),
        next="docker compose -f @IN@compose.yaml up -d && docker compose -f @IN@compose.yaml run --rm apply",
    ),
    "cron": DeployKind(
        files={
            "cron/creatio-apply.service": ("cron/creatio-apply.service", "pulls from git and applies"),
            "cron/creatio-apply.timer": ("cron/creatio-apply.timer", "starts it each 10 minutes"),
            "cron/creatio-nightly.service": ("cron/creatio-nightly.service", "carries out jobs with the tag `nightly`"),
            "cron/creatio-nightly.timer": ("cron/creatio-nightly.timer", "starts that each night"),
            "cron/creatio-failed@.service": ("cron/creatio-failed@.service", "writes a mail where one of them failed"),
            "cron/environment": ("cron/environment", "for /etc/creatio-apply.env: secrets, who gets mail"),
            "cron/crontab": ("cron/crontab", "lines for cron, where there is no systemd"),
        },
        to_do=(
            (
                f"{_SOURCE}python3 -m venv /opt/creatio-runner && "
                "/opt/creatio-runner/bin/pip install 'creatio-runner @ @SOURCE@'"
            ),
            "commit and push the jobs and targets.yaml; install the command `mail`",
            "make the user `creatio`, and clone the repository as that user into /srv/creatio",
            (
                "install -d -m 700 -o creatio /var/lib/creatio-apply && "
                "install -m 640 -g creatio @IN@cron/environment /etc/creatio-apply.env; then write the password there"
            ),
            (
                "apply once by hand, with `--adopt` where all of it ran before: sudo -u creatio sh -c 'set -a; "
                ". /etc/creatio-apply.env; cd /srv/creatio && /opt/creatio-runner/bin/runner apply @FOLDER@ "
                '--tags "not nightly" --allow-empty && touch "$CREATIO_RUNNER_LEDGER"\''
            ),
            "install the units: cp @IN@cron/creatio-* /etc/systemd/system/",
        ),
        next="systemctl daemon-reload && systemctl enable --now creatio-apply.timer creatio-nightly.timer",
    ),
}
