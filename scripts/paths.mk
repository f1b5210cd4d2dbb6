# SPDX-License-Identifier: GPL-2.0
#
# Every Makefile of the project includes this file.  It refuses paths that make, the shell or
# the kernel's build system would split.  With a blank in a path, "make deb" would remove
# another folder.
# need_path() in lib.sh does the same for scripts.

paths-empty :=
paths-tab := $(paths-empty)	$(paths-empty)
paths-hash := \#
define paths-newline


endef
paths-special := ' " ` \ ; & | < > ( ) [ ] { } * ? ! : , $$ % $(paths-hash)

# $(call paths-bad,TEXT): not empty if TEXT is not allowed as a path
paths-bad = $(strip $(if $(findstring $(paths-newline),$1),newline) \
	$(if $(findstring $(paths-tab),$1),tab) \
	$(if $(findstring $(paths-empty) $(paths-empty),$1),blank) \
	$(foreach char,$(paths-special),$(findstring $(char),$1)) $(filter -% ~%,$1))

paths-check = $(if $(call paths-bad,$(value $1)),$(error $1: \
	'$(subst $(paths-newline), ,$(value $1))': a path must have no blank, quote, $$ or other special character))

# Check only variables that the user has set.  The Makefiles derive their own from these.
$(call paths-check,CURDIR)
$(foreach name,O LIB_O LIB KDIR DESTDIR prefix libdir includedir sbindir libexecdir testsdir \
	sysconfdir mandir bashdir zshdir udevdir sysusersdir unitdir examplesdir,$(if \
	$(filter command environment,$(firstword $(origin $(name)))),$(call paths-check,$(name))))

# "make clean" removes the whole of O, so O must be a folder that make has made.
define paths-make-output
	mkdir -p '$(O)'
	touch '$(O)/.devpub-build'
endef
define paths-remove-output
	$(if $(wildcard $(O)),$(if $(wildcard $(O)/.devpub-build),,$(error \
		O: '$(O)' was not made by make, and is left alone)))
	rm -rf '$(O)'
endef

# If O contained the sources, a target and a folder could also have the same name.
ifneq ($(O),)
ifneq ($(filter $(patsubst //%,/%,$(abspath $(O))/%),$(CURDIR)/),)
$(error O: '$(O)' holds the project's folder)
endif
endif
