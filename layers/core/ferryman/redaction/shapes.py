"""Secrets that show by themselves: keys of providers with a prefix of their own, tokens, addresses of webhooks.

Each pattern finds its start by a literal and then runs over one class of characters, so that a hostile line costs no
more than its length. The prefixes are from the providers' documentation. Lengths are lower than the real ones: a key
may have been cut.
"""

import re

# Prefix and the least number of characters `[A-Za-z0-9_-]` that follow. Longer prefixes of one provider come first.
_PREFIXES = {
    "github_pat_": 10, "ghp_": 16, "gho_": 16, "ghu_": 16, "ghs_": 16, "ghr_": 16,
    "glpat-": 10, "gldt-": 10, "glrt-": 10, "glrtr-": 10, "glcbt-": 10, "glptt-": 10, "glft-": 10, "glsoat-": 10,
    "glagent-": 10, "gloas-": 10, "glimt-": 10, "glffct-": 10, "GR1348941": 10,
    "xoxb-": 8, "xoxp-": 8, "xoxa-": 8, "xoxr-": 8, "xoxs-": 8, "xoxo-": 8, "xoxe-": 8, "xoxe.xoxb-": 8,
    "xoxe.xoxp-": 8, "xoxc-": 8, "xoxd-": 8, "xapp-": 8, "xwfp-": 8,
    "sk_live_": 8, "sk_test_": 8, "sk_prod_": 8, "rk_live_": 8, "rk_test_": 8, "rk_prod_": 8, "whsec_": 16,
    "sk-ant-": 8, "sk-proj-": 8, "sk-svcacct-": 8, "sk-admin-": 8, "sk-or-": 8, "sk-lf-": 8, "sk-None-": 8,
    "gsk_": 20, "pplx-": 20, "xai-": 30, "r8_": 30, "hf_": 24, "api_org_": 24, "tvly-": 20, "fw_": 22, "nvapi-": 20,
    "npm_": 24, "pypi-": 24, "rubygems_": 20, "CLOJARS_": 20, "oy2": 40, "dckr_pat_": 10, "dckr_oat_": 10,
    "AIza": 24, "GOCSPX-": 16, "1//0": 24,
    "dop_v1_": 16, "doo_v1_": 16, "dor_v1_": 16, "shpat_": 16, "shpca_": 16, "shppa_": 16, "shpss_": 16,
    "sq0atp-": 16, "sq0csp-": 16, "sq0idp-": 16, "EAAAE": 40, "EAAC": 60, "dapi": 30, "lin_api_": 16, "lin_oauth_": 16,
    "ntn_": 30, "secret_": 32, "figd_": 16, "figo_": 16, "ATATT3": 20, "ATCTT3": 20, "ATBB": 24, "NRAK-": 16,
    "NRII-": 16, "NRJS-": 12, "NRRA-": 16, "glc_": 24, "glsa_": 16, "sntrys_": 20, "sntryu_": 20,
    "hvs.": 20, "hvb.": 20, "hvr.": 20, "pul-": 30, "PMAK-": 20, "pscale_tkn_": 16,
    "pscale_pw_": 16, "pscale_oauth_": 16, "pnu_": 30, "rdme_": 30, "HRKU-": 20, "sbp_": 24, "sb_secret_": 16,
    "tskey-": 12, "xkeysib-": 20, "key-": 32, "CFPAT-": 20, "CCIPAT_": 16, "CCIPRJ_": 16, "bkua_": 20, "bkct_": 20,
    "nfp_": 20, "rnd_": 24, "re_": 30, "ops_ey": 20, "FLWSECK": 12, "EZAK": 40, "EZTK": 40, "AKCp": 30, "LTAI": 14,
    "AQVN": 30, "access-sandbox-": 20, "access-production-": 20, "phc_": 30, "phx_": 30, "dt0c01.": 20, "dt0s01.": 20,
    "ptr_": 30, "jira_": 30, "cio_": 30, "tfp_": 30, "vercel_": 20, "vcp_": 20, "ghcs_": 20, "AGE-SECRET-KEY-1": 20,
    "sl.": 60, "ddp_": 30, "ddapp_": 20, "cfut_": 20, "waka_": 30, "b2_": 40, "SCW": 17, "mongodb_": 30, "nvidia_": 30,
}  # fmt: skip

_START = r"(?:(?<![A-Za-z0-9_.-])|(?<=\\[nrt])|(?<=%[0-9A-F]{2}))"


def _prefixed() -> str:
    by_least: dict[int, list[str]] = {}
    for prefix, least in _PREFIXES.items():
        by_least.setdefault(least, []).append(re.escape(prefix))
    groups = [
        f"(?:{'|'.join(sorted(found, key=len, reverse=True))})[A-Za-z0-9_-]{{{least},}}+"
        for least, found in by_least.items()
    ]
    return rf"(?:{'|'.join(groups)})[A-Za-z0-9_.=-]*+"


_AT_START = (
    r"SG\.[A-Za-z0-9_-]{12,}+(?:\.[A-Za-z0-9_-]*+)?",
    r"[sbr]\.(?=[A-Za-z]{0,20}[0-9])[A-Za-z0-9]{24}(?![A-Za-z0-9.])",
    r"dp\.[a-z]{2,6}\.[A-Za-z0-9._-]{16,}+",
    r"ya29\.[A-Za-z0-9_.-]{10,}+",
    r"(?:SK|sk)[0-9a-f]{32}\b",
    r"sk-[A-Za-z0-9]{2,12}-[A-Za-z0-9_-]{24,}+",
    r"sk-[A-Za-z0-9]{24,}+",
    r"[sp]k\.eyJ[A-Za-z0-9_-]{10,}+(?:\.[A-Za-z0-9_-]*+)?",
    r"eyJ[A-Za-z0-9_-]{8,}+(?:\.[A-Za-z0-9_-]*+){1,4}",
    r"eyJhbGciOi[A-Za-z0-9_-]{4,}+",
    # Discord's bots, Azure's client secrets, Terraform Cloud, Airtable, Amazon's marketplaces, LaunchDarkly.
    r"[MNO][A-Za-z0-9_-]{23,27}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{24,}+",
    r"[A-Za-z0-9_~.]{3}[78]Q~[A-Za-z0-9_~.-]{20,}+",
    r"[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_=-]{20,}+",
    r"pat[A-Za-z0-9]{14}\.[0-9a-f]{32,}+",
    r"amzn\.mws\.[0-9a-f-]{20,}+",
    r"(?:sdk|mob|api)-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{10,}+",
    # Prefixes nobody told us of: a word that speaks of keys, then what a machine drew.
    (
        r"(?:[A-Za-z]{1,12}[_-]){0,3}(?:pat|key|tok|token|secret|live|api|apikey|sk|pw|prod)[_-]"
        r"(?=(?:[A-Za-z_-]{0,40}[0-9]){3})(?=[a-z0-9_-]{0,60}[A-Za-z])[A-Za-z0-9]{20,}+"
    ),
)
"""Patterns that are looked for where a word begins."""

_ANYWHERE = (
    # Keys of AWS. An id alone opens nothing, but nobody needs it in a message.
    r"(?<![A-Za-z0-9])(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{12,}+",
    r"(?<![A-Za-z0-9/+])(?:IQoJ|FwoG|FQoG|AQoE)[A-Za-z0-9/+=_%-]{40,}+",
    r"\b[0-9a-f]{32}-us[0-9]{1,2}\b",
    r"(?<![0-9A-Za-z])(?:bot)?[0-9]{8,10}:AA[A-Za-z0-9_-]{30,}+",
    # Hashes of passwords, and what Ansible encrypted.
    r"\$ansible_vault;[^\s]{1,80}+|\$2[abxy]\$[0-9]{2}\$[A-Za-z0-9./]{30,}+|\$argon2(?:id?|d)\$[^\s\"',]{20,}+",
    r"\$[156]\$[A-Za-z0-9./=,]{1,40}\$[A-Za-z0-9./]{20,}+|pbkdf2_sha(?:1|256|512)\$[0-9]+\$[^\s\"',]{20,}+",
    r"\bSharedAccessSignature[ \t]+sr=[^\s\"']++",
)
"""Patterns that tell themselves where they may begin."""

KEYS = (re.compile(rf"{_START}(?:{'|'.join((_prefixed(), *_AT_START))})"), re.compile("|".join(_ANYWHERE)))
"""Secrets that show by themselves."""

HOOK_HINTS = ("hook", "ifttt.com/", "/integration", "/open-apis/bot/", "hc-ping.com/", "api.telegram.org/")
"""What text has, in lower case, that may have the address of a webhook."""
HOOK = re.compile(
    r"""(?ix)
    ( hooks\.slack(?:-gov)?\.com/
    | discord(?:app)?\.com/api/(?:v\d{1,2}/)?webhooks/
    | [a-z0-9-]{1,60}\.webhook\.office\.com/webhookb2/
    | outlook\.office(?:365)?\.com/webhook/
    | hooks\.zapier\.com/hooks/
    | hook\.(?:[a-z0-9]{2,4}\.)?(?:integromat|make)\.com/
    | maker\.ifttt\.com/(?:trigger|use)/
    | events\.pagerduty\.com/integration/
    | alert\.victorops\.com/integrations/
    | webhook\.site/
    | open\.(?:feishu|larksuite)\.cn/open-apis/bot/
    | hc-ping\.com/
    | [a-z0-9.-]{1,80}/hooks/(?=[a-z0-9]{20,}|[a-z0-9]{5,30}/[a-z0-9]{20,})
    | api\.telegram\.org/(?:file/)?bot
    )
    [^\s"'<>`\\)\]}|&]++
    """
)
"""The address of a webhook: whoever has it can write there. The first group may be shown."""

AWS_SECRET = re.compile(r"(?<![A-Za-z0-9/+=_.@-])[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=_@-]|\.\w)")
"""What may be a secret access key of AWS; `values.random` decides."""
