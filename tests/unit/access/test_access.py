"""Who may do what, by the table of verbs and by what a platform grants."""

import pytest

from ferryman.access import Access, Role, Verb
from ferryman.access.grants import Grant, Grants
from ferryman.access.roles import IMPLIED, NEEDS, Where
from ferryman.errors import NotPermitted, Unavailable

ACCOUNT = "123456789012"
ADMIN, VERA, DORA, APRIL, NOBODY = (
    f"arn:aws:iam::{ACCOUNT}:user/{name}" for name in ("admin", "vera", "dora", "april", "nobody")
)
ROOT = f"arn:aws:iam::{ACCOUNT}:root"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/AWSReservedSSO_Deploy_er_0123456789abcdef/ada@example.com"
GRANTS = Grants(
    (
        Grant(Role.VIEWER, ("*",), (VERA,)),
        Grant(Role.DEPLOYER, ("staging",), (DORA, "permission-set/Deploy_er")),
        Grant(Role.APPROVER, ("production",), (APRIL, DORA)),
    )
)


def access(grants: Grants = GRANTS, admins: tuple[str, ...] = (ADMIN,), *, confirmed: bool = True) -> Access:
    return Access(admins, lambda _: grants, ACCOUNT, lambda _: confirmed)


@pytest.mark.parametrize(
    ("caller", "environment", "roles"),
    [
        (ADMIN, "production", set(Role)),
        (VERA, "production", {Role.VIEWER}),
        (VERA, "not-there-yet", {Role.VIEWER}),
        (DORA, "staging", {Role.DEPLOYER, Role.VIEWER}),
        (DORA, "production", {Role.APPROVER, Role.VIEWER}),
        (APRIL, "staging", set()),
        (NOBODY, "staging", set()),
        (ROOT, "staging", set()),
    ],
)
def test_roles_count_where_they_were_granted(caller: str, environment: str, roles: set[Role]) -> None:
    assert access().roles(caller, "scr", environment) == roles


def test_every_verb_needs_a_role_and_has_a_place() -> None:
    assert set(NEEDS) == set(Verb)
    assert [verb for verb, (role, _) in NEEDS.items() if role is None] == [Verb.ASK]
    assert [verb for verb, (role, _) in NEEDS.items() if role is Role.ADMIN] == [Verb.CREATE, Verb.RETIRE]
    assert {where for role, where in NEEDS.values() if role is None} == {Where.NOWHERE}
    assert all(role in mine for role, mine in IMPLIED.items())
    assert Role.APPROVER not in IMPLIED[Role.DEPLOYER]
    assert Role.DEPLOYER not in IMPLIED[Role.APPROVER]


def test_a_refusal_names_the_role_the_place_the_caller_and_who_can_give_it() -> None:
    with pytest.raises(NotPermitted) as error:
        access().require(VERA, Verb.DEPLOY, "scr", ["staging", "production"])
    assert str(error.value) == (
        f"`deploy` on scr/staging, scr/production needs the role deployer, and {VERA} does not have it there. "
        "Roles are granted in the SSM parameter /ferryman/operator/access/scr (`access` in terraform/platform); "
        f"to get one, ask an admin of Ferryman: {ADMIN}"
    )


def test_each_environment_counts_by_itself() -> None:
    access().require(DORA, Verb.DEPLOY, "scr", ["staging"])
    with pytest.raises(NotPermitted, match="on scr/production needs the role deployer"):
        access().require(DORA, Verb.APPLY, "scr", ["staging", "production"])


def test_nowhere_is_not_everywhere() -> None:
    with pytest.raises(NotPermitted):
        access().require(DORA, Verb.APPLY, "scr", [])


def test_what_cannot_be_read_leaves_only_admins_and_says_so() -> None:
    broken = access(Grants(problem="the SSM parameter /ferryman/operator/access/scr does not exist"))
    broken.require(ADMIN, Verb.DEPLOY, "scr", ["production"])
    with pytest.raises(NotPermitted) as error:
        broken.require(VERA, Verb.VIEW, "scr", ["staging"])
    assert str(error.value) == (
        "only admins of Ferryman can use scr now, because the SSM parameter /ferryman/operator/access/scr does not "
        f"exist. To get in, ask an admin of Ferryman: {ADMIN}"
    )


def test_admins_do_not_depend_on_ssm() -> None:
    def down(_: str) -> Grants:
        raise Unavailable("SSM does not answer")

    left = Access((ADMIN,), down)
    left.require(ADMIN, Verb.APPLY, "scr", ["staging"])
    assert left.has_any(ADMIN, "scr")
    with pytest.raises(Unavailable):
        left.require(VERA, Verb.VIEW, "scr", ["staging"])


class TestPermissionSets:
    def test_a_session_counts_once_iam_has_confirmed_its_role(self) -> None:
        assert Role.DEPLOYER in access().roles(SESSION, "scr", "staging")
        assert access(confirmed=False).roles(SESSION, "scr", "staging") == set()

    def test_so_does_one_of_a_role_that_is_named_with_its_suffix(self) -> None:
        path = f"arn:aws:iam::{ACCOUNT}:role/aws-reserved/sso.amazonaws.com/eu-west-1"
        exact = Grants((Grant(Role.DEPLOYER, ("*",), (f"{path}/AWSReservedSSO_Deploy_er_0123456789abcdef",)),))
        assert Role.DEPLOYER in access(exact).roles(SESSION, "scr", "staging")
        assert access(exact, confirmed=False).roles(SESSION, "scr", "staging") == set()
        assert access(exact).roles(SESSION.replace("0123", "3210"), "scr", "staging") == set()

    @pytest.mark.parametrize(
        "caller",
        [
            SESSION.replace(ACCOUNT, "210987654321"),
            SESSION.replace("Deploy_er", "Deploy"),
            SESSION.replace("Deploy_er", "Deploy_er_x"),
            SESSION.replace("0123456789abcdef", "0123456789ABCDEF"),
            SESSION.replace("_0123456789abcdef", ""),
            SESSION.replace("AWSReservedSSO_", ""),
            f"arn:aws:iam::{ACCOUNT}:user/AWSReservedSSO_Deploy_er_0123456789abcdef",
        ],
    )
    def test_nobody_else_does(self, caller: str) -> None:
        assert access().roles(caller, "scr", "staging") == set()


@pytest.mark.parametrize("admins", [(), ("",), ("*",), (ROOT,)])
def test_no_value_makes_everybody_or_the_root_an_admin(admins: tuple[str, ...]) -> None:
    for caller in (ROOT, VERA, SESSION):
        assert not access(admins=admins).is_admin(caller)
