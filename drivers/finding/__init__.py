"""Which device is on which port: by what answers, and by what udev says is plugged in."""
