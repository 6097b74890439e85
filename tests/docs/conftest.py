from tests.workers.conftest import scene

__all__ = ["scene"]
