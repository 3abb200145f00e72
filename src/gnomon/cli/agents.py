"""``mcp``: an expert's tools for agents, over standard input and output."""

from gnomon.cli.session import Session, command


@command(
    "Give agents an expert's tools by the Model Context Protocol, over standard input and output: search, ask, trace,"
    " read.",
    "エキスパートの道具（search・ask・trace・read）を、Model Context Protocol で標準入出力を通じてエージェントに渡す。",
)
def mcp(session: Session) -> int:
    """Serve tools until the client closes standard input; nothing but the protocol goes to standard output."""
    from gnomon.research.opened import OpenExpert
    from gnomon.serving.house import House
    from gnomon.serving.mcp import server

    workspace = session.workspace()
    house = House(OpenExpert(workspace, session.expert(workspace)))
    try:
        server(house).run("stdio")
    finally:
        house.close()
    return 0
