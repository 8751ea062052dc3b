"""Build the workbook as static files: JupyterLite, Pyodide, the kit and the lessons."""
