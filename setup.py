"""What is installed, and what each dependency is for. Tool settings stand in pyproject.toml."""

from setuptools import find_packages, setup

TERMINAL = [
    "kivy==2.3.1",  # the touchscreen; imported only in ui/
    "pyserial==3.5",  # RS-232 and USB-CDC devices
    "pyscard==2.3.1",  # smart cards over PC/SC
    "opencv-python-headless==5.0.0.93",  # camera frames; headless, since Kivy owns the window
    "numpy==2.4.6",  # the frames that opencv hands over
    "pyzbar==0.1.9",  # second decoder for codes seen by the camera
    "zxing-cpp==3.1.1",  # first decoder; gives the bytes of GB18030 contents unspoilt
    "sqlite-utils==4.2.1",  # technicians' reading of the store
    "requests==2.34.2",  # the terminal's HTTPS to the gateway
    "urllib3==2.8.0",  # beneath requests; its pool tells whether anything was sent
    "pydantic==2.14.3",  # messages of link and hospital contract, profile validation
    "cryptography==50.0.2",  # sealed fields (AES-GCM), signatures (Ed25519)
    "structlog==26.1.0",  # structured logs
    "typer==0.29.2",  # the kiosk and kiosk-gateway commands
    "Babel==2.18.0",  # message catalogues of ui and slips
    "fonttools==4.68.0",  # takes the Simplified Chinese face out of the Noto collection
    "fonticon-materialdesignicons7==7.2.96",  # the icon font (Apache-2.0) and its names
    "python-bidi==0.6.12",  # runs of right-to-left text
    "segno==1.6.6",  # QR codes on screen and slips
    "pyudev==0.24.5",  # hot-plug of USB devices
    "pillow==13.0.0",  # slips as pictures, raster lines
]
GATEWAY = [
    "fastapi==0.165.0",  # HTTP with OpenAPI
    "starlette==1.10.0",  # below it: routes, and who hangs up in the middle of a form
    "uvicorn==0.54.0",  # its server
    "httptools==0.9.0",  # reads its requests, in C
    "uvloop==0.23.0",  # its event loop, in C: ten thousand connections on one core
    "SQLAlchemy==2.1.9",  # one store on SQLite or PostgreSQL
    "psycopg[binary]==3.3.9",  # PostgreSQL
    "prometheus-client==0.26.0",  # metrics
    "reportlab==5.1.0",  # the demo hospital's laboratory reports
]
TESTS = [
    "pytest==9.2.0",
    "hypothesis==6.170.15",
    "apsw==3.54.1.0",  # a file system of our own under SQLite, for simulated power cuts
    "python-escpos==3.1",  # the peer that the receipt printer's bench is measured against
    "persist-queue==1.1.0",  # two peers that the restart bench opens the same backlog with
    "litequeue==0.9",
    "mypy==2.4.1",
    "ruff==0.17.6",
    "types-requests>=2.32,<3",
    "types-pyserial==3.5.0.20260712",
]
FUZZ = [
    "atheris==3.0.0",  # coverage-guided fuzzing of the codecs: tests/drills/fuzz_guided.py
]
DATA = ["*.kv", "*.po", "*.toml", "*.txt", "*.json", "*.html", "*.css", "*.sh", "*.sql"]
"""What the packages read besides Python; a test holds the tree to it."""

setup(
    name="kiosk",
    version="0.1.0",
    description="Hospital self-service terminals: kiosk, gateway and their devices",
    license="Apache-2.0",
    python_requires=">=3.11",
    packages=find_packages(
        include=["kiosk*", "drivers*", "offline*", "ui*", "provisioning*", "gateway*"]
    ),
    package_data={"": DATA},
    install_requires=TERMINAL + GATEWAY,
    extras_require={"tests": TESTS, "fuzz": FUZZ},
    entry_points={
        "console_scripts": [
            "kiosk = kiosk.cli:main",
            "kiosk-gateway = gateway.cli:main",
        ]
    },
)
