# make run 就能启动；make test 自己装好一切再测。需要：git、python3（3.11 以上）、pip、make。
# 用别的 Python：make run PYTHON=python3.12

PYTHON ?= python3
PY     := .venv/bin/python
RUN    := .venv/.runtime-installed
DEV    := .venv/.dev-installed
CHECKS  = $(wildcard tests/test_catalogue.py tests/test_config.py)

.PHONY: run test check bench preview catalogue lock clean system
.DEFAULT_GOAL := run

run: $(RUN)
	@$(PY) -m bot run

# 锁文件不变，第二次就不再装
$(RUN): requirements.lock.txt
	@$(call install,requirements.lock.txt,第一次启动：正在安装依赖，约一两分钟……)
	@touch $@

$(DEV): requirements-dev.lock.txt requirements.lock.txt
	@$(call install,requirements-dev.lock.txt,正在安装依赖和测试工具，约几分钟……)
	@touch $(RUN) $@

define install
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "红烛需要 Python 3.11 或更新的版本，这里的 $(PYTHON) 不是；请安装后再试，或写 make run PYTHON=python3.12。"; exit 1; }; \
	$(PYTHON) -m pip --version >/dev/null 2>&1 || { \
	  echo "这里的 $(PYTHON) 没有 pip；请先运行 apt install python3-pip。"; exit 1; }; \
	echo "$(2)"; \
	$(PYTHON) -m venv --without-pip .venv && \
	$(PYTHON) -m pip --python $(PY) --disable-pip-version-check install --quiet --require-hashes -r $(1) || { \
	  echo "依赖没有装完：请检查网络和磁盘，再运行一次（需要 pip 22.3 以上）。"; exit 1; }
endef

test: $(DEV) system catalogue
	@$(PY) -m pytest -n 2 --dist loadgroup $(ARGS)

check: $(DEV) catalogue
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy
	@.venv/bin/lint-imports
	@$(if $(CHECKS),$(PY) -m pytest -q $(CHECKS))

bench: $(DEV)
	@$(PY) -m benchmarks $(ARGS)

preview: $(RUN)
	@$(PY) -m bot preview

# 译文：*.po 编成程序读的 *.mo
catalogue: $(DEV)
	@find locale -name '*.po' 2>/dev/null | while read -r po; do \
	  mo="$${po%.po}.mo"; [ "$$mo" -nt "$$po" ] || $(PY) -m babel.messages.frontend compile -i "$$po" -o "$$mo" || exit 1; done

# 浏览器测试要 chromium 和中文字体；没有权限装，就用一行话说明跳过了什么
system:
	@missing=""; \
	command -v chromium >/dev/null 2>&1 || missing="chromium"; \
	ls /usr/share/fonts/opentype/noto/NotoSansCJK* >/dev/null 2>&1 || missing="$$missing fonts-noto-cjk"; \
	command -v strace >/dev/null 2>&1 || missing="$$missing strace"; \
	[ -z "$$missing" ] || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1 && echo "正在安装：$$missing……" \
	  && { apt-get update -qq; DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing; } \
	  >/dev/null 2>&1; } || echo "跳过：$$missing 没有装上（需要 root 和 Debian 的 apt-get），要用到它们的测试会跳过。"

# 改了 pyproject.toml 的依赖以后（要先装 uv）：只记版本和校验和，不记任何网址；运行用的是测试用的一部分
COMPILE = uv pip compile --quiet --universal --generate-hashes --no-header --python-version 3.11 pyproject.toml
lock:
	@$(COMPILE) --extra dev --output-file requirements-dev.lock.txt
	@$(COMPILE) --constraints requirements-dev.lock.txt --output-file requirements.lock.txt

clean:
	@rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .coverage artifacts dist
	@find . -name __pycache__ -prune -exec rm -rf {} +
