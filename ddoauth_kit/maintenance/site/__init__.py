"""Build the workbook as static files from JupyterLite, Pyodide, the kit and the lessons."""
