import pytest

pytest.register_assert_rewrite("tests.notify.channels.contract")
