"""Share one Chromium and its servers between the files of this folder."""
