from hypothesis import settings

# A busy machine is not a failing rule.
settings.register_profile("domain", deadline=None)
settings.load_profile("domain")
